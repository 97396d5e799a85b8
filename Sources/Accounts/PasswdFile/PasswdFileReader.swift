import Foundation
import NetworkAddress
import Synchronization

/// A passwd-file that is read again when it changes. One that cannot be read any more leaves what was read before in force.
final class PasswdFileReader: Sendable {
    /// Tells one state of the file from another.
    struct Stamp: Sendable, Hashable {
        var inode: UInt64 = 0
        var size: Int64 = -1
        var seconds = 0
        var nanoseconds = 0
    }

    let path: String
    /// What a name without `@` gets as addresses: itself in each of these.
    let domains: [DomainName]
    private let state = Mutex<(stamp: Stamp?, file: PasswdFile)>((nil, PasswdFile("", file: "")))

    init(path: String, domains: [DomainName]) {
        self.path = path
        self.domains = domains
    }

    /// The file as it is now. Blocks.
    /// - Returns: its state, its lines, and the faults when it was read just now.
    func current() -> (stamp: Stamp, lines: [PasswdFile.Line], news: [PasswdFileFault]) {
        state.withLock { state in
            let stamp = Self.stamp(path)
            guard state.stamp != stamp else { return (stamp, state.file.lines, []) }
            state.stamp = stamp
            do {
                state.file = PasswdFile(try read(), file: path)
                return (stamp, state.file.lines, state.file.faults)
            } catch { return (stamp, state.file.lines, [PasswdFileFault(file: path, line: nil, text: "cannot be read: \(error)")]) }
        }
    }

    /// Whether the file is another one now. Blocks for a `stat`.
    func hasChanged(since stamp: Stamp?) -> Bool { Self.stamp(path) != stamp }

    private struct Unreadable: Error, CustomStringConvertible { let description: String }

    private func read() throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Unreadable(description: String(cString: strerror(errno))) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let data = try handle.read(upToCount: PasswdFile.sizeLimit + 1), data.count <= PasswdFile.sizeLimit else {
            // An empty file reads as nothing.
            guard Self.stamp(path).size > 0 else { return "" }
            throw Unreadable(description: "it is larger than \(PasswdFile.sizeLimit >> 20) MiB")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func stamp(_ path: String) -> Stamp {
        var info = stat()
        guard stat(path, &info) == 0 else { return Stamp() }
        return Stamp(inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: info.st_mtim.tv_sec, nanoseconds: info.st_mtim.tv_nsec)
    }
}
