import Foundation

/// Owners and modes of what must be kept and what must be kept secret. Blocks.
public struct FileChecks: Sendable {
    /// A file that others must not read.
    public struct Secret: Sendable, Hashable {
        public let path: String
        /// Whether its group may read it, as a group of certificate users does.
        public let groupMayRead: Bool

        public init(_ path: String, groupMayRead: Bool = false) {
            self.path = path
            self.groupMayRead = groupMayRead
        }
    }

    private let user: FileAccess.User
    private let dataDirectory: String
    private let secrets: [Secret]
    /// What the server reads at start and at a reload.
    private let readables: [String]

    public init(user: FileAccess.User, dataDirectory: String, secrets: [Secret], readables: [String]) {
        self.user = user
        self.dataDirectory = dataDirectory
        self.secrets = secrets
        self.readables = readables
    }

    public func run() -> [CheckFinding] {
        let found = folder() + secrets.flatMap { secret($0) } + readables.compactMap { readable($0) }
        return found.contains { $0.verdict != .ok } ? found : [CheckFinding("files", dataDirectory, .ok, .safety, "owners and modes of the data folder, keys and secrets are well")]
    }

    private func folder() -> [CheckFinding] {
        var facts = stat()
        guard stat(dataDirectory, &facts) == 0 else {
            return [CheckFinding("data-directory", dataDirectory, .wrong, .safety, "data_directory \(dataDirectory): \(String(cString: strerror(errno)))", remedy: "make it: install -d -m 700 -o \(user.name) \(dataDirectory)")]
        }
        guard facts.st_uid == user.uid else {
            return [CheckFinding("data-directory-owner", dataDirectory, .wrong, .safety,
                                 "data_directory \(dataDirectory) belongs to \(Self.name(facts.st_uid)), and postern runs as \(user.name): mail cannot be stored", remedy: "chown -R \(user.name) \(dataDirectory)")]
        }
        let strangers = strayFiles()
        guard let first = strangers.first else { return [] }
        return [CheckFinding("data-directory-owner", dataDirectory, .wrong, .safety,
                             "\(strangers.count == 1 ? first : "\(first) and \(strangers.count - 1) more") in data_directory \(strangers.count == 1 ? "does" : "do") not belong to \(user.name), as whom postern runs",
                             remedy: "chown -R \(user.name) \(dataDirectory)")]
    }

    /// What lies directly in the folder and one step below, of somebody else. The maildrop's files are their senders'.
    private func strayFiles() -> [String] {
        var out: [String] = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: dataDirectory))?.sorted() ?? [] {
            let path = dataDirectory + "/" + name
            var facts = stat()
            guard lstat(path, &facts) == 0, facts.st_uid != user.uid else { continue }
            // root makes files that the server takes over at its start.
            if facts.st_uid == 0, facts.st_mode & S_IFMT == S_IFREG { continue }
            out.append(path)
        }
        return out
    }

    private func secret(_ secret: Secret) -> [CheckFinding] {
        var facts = stat()
        guard stat(secret.path, &facts) == 0 else { return [] }
        let open = facts.st_mode & (secret.groupMayRead ? 0o007 : 0o077)
        guard open != 0 else { return [] }
        let who = facts.st_mode & 0o007 != 0 ? "every user of this machine" : "its group (\(Self.group(facts.st_gid)))"
        return [CheckFinding("secret-mode", secret.path, .wrong, .trust, "\(secret.path) has mode 0\(String(facts.st_mode & 0o7777, radix: 8)): \(who) can get at the secret",
                             remedy: "chmod \(secret.groupMayRead ? "o-rwx" : "go-rwx") \(secret.path)", why: "who reads it can sign, log in or decrypt in our name")]
    }

    private func readable(_ path: String) -> CheckFinding? {
        guard let obstacle = FileAccess(user).obstacle(toReading: path) else { return nil }
        return CheckFinding("not-readable", path, .wrong, .safety, "\(path): \(obstacle)", remedy: "chown \(user.name) \(path), or give it to a group that \(user.name) is in (setfacl -m u:\(user.name):r); folders on the way need x",
                            why: "the server does not start, or refuses its next reload")
    }

    private static func name(_ uid: uid_t) -> String { getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "user \(uid)" }
    private static func group(_ gid: gid_t) -> String { getgrgid(gid).map { String(cString: $0.pointee.gr_name) } ?? "group \(gid)" }
}
