import Foundation

/// Room for mail: octets and inodes. Blocks.
public struct DiskCheck: Sendable {
    private let path: String
    /// Octets below which the server refuses mail.
    private let minimum: UInt64

    public init(path: String, minimum: Int) {
        self.path = path
        self.minimum = UInt64(max(minimum, 0))
    }

    public func run() -> [CheckFinding] {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return [CheckFinding("disk", path, .unknown, .safety, "\(path): \(String(cString: strerror(errno)))")] }
        return Self.judge(path, free: UInt64(facts.f_bavail) * UInt64(facts.f_frsize), size: UInt64(facts.f_blocks) * UInt64(facts.f_frsize), freeFiles: UInt64(facts.f_favail),
                          files: UInt64(facts.f_files), minimum: minimum)
    }

    static func judge(_ path: String, free: UInt64, size: UInt64, freeFiles: UInt64, files: UInt64, minimum: UInt64) -> [CheckFinding] {
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ remedy: String? = nil) -> CheckFinding {
            CheckFinding("disk", path, verdict, .safety, text, remedy: remedy, why: "without room mail is refused for now, and comes back to its senders after days")
        }
        var out: [CheckFinding] = []
        if free < minimum {
            out.append(made(.wrong, "\(path) has \(text(free)) free, less than queue_minfree (\(text(minimum))): new mail is refused with 452", "make room on its disk, or move data_directory to a larger one"))
        } else if free < 2 * minimum || free < size / 20 {
            out.append(made(.note, "\(path) has only \(text(free)) of \(text(size)) free", "make room before mail is refused"))
        }
        // Some file systems have no fixed number of inodes and say 0.
        if files > 0, freeFiles < 1000 { out.append(made(.wrong, "\(path) has only \(freeFiles) inodes free: each message takes one", "remove small files, or make the file system anew with more inodes")) }
        return out.isEmpty ? [made(.ok, "\(path) has \(text(free)) free")] : out
    }

    private static func text(_ octets: UInt64) -> String {
        switch octets {
        case ..<10_000: "\(octets) octets"
        case ..<10_000_000: "\(octets / 1000) kB"
        case ..<10_000_000_000: "\(octets / 1_000_000) MB"
        default: "\(octets / 1_000_000_000) GB"
        }
    }
}
