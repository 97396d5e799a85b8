import Foundation

/// How rule and table files are read: injected, so that checks and tests need no disk.
public protocol PolicyFileReader: Sendable {
    /// The paths of the `*.policy` files directly in a folder, in the order in which their rules are asked. Blocks.
    func policyFiles(in folder: String) throws -> [String]
    /// A file's octets. Blocks.
    /// - Throws: ``PolicyFileProblem`` when it cannot be read or is larger than `limit` octets.
    func read(_ path: String, limit: Int) throws -> [UInt8]
    /// Tells one state of a file from another; nil where there is no such file, or no way to tell. Blocks.
    func stamp(of path: String) -> PolicyFileStamp?
}

extension PolicyFileReader {
    public func stamp(of path: String) -> PolicyFileStamp? { nil }
}

/// When a file was written, how large it is and which it is: an edit in place changes the first, a replacement the last.
public struct PolicyFileStamp: Sendable, Hashable {
    let seconds: Int, nanoseconds: Int
    let size: Int
    let file: UInt64
}

/// Why a file could not be read, as it is shown.
public struct PolicyFileProblem: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Reads from disk. Files are taken in the order of their names.
public struct DiskPolicyFileReader: PolicyFileReader {
    public init() {}

    public func policyFiles(in folder: String) throws -> [String] {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            return names.filter { $0.hasSuffix(".policy") && !$0.hasPrefix(".") }.sorted().map { folder + "/" + $0 }
        } catch {
            throw PolicyFileProblem("the folder cannot be read: does it exist, and may this user read it?")
        }
    }

    public func stamp(of path: String) -> PolicyFileStamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return PolicyFileStamp(seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec), size: Int(status.st_size), file: UInt64(status.st_ino))
    }

    public func read(_ path: String, limit: Int) throws -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw PolicyFileProblem(errno == ENOENT ? "there is no such file" : "it cannot be looked at: \(String(cString: strerror(errno)))") }
        // To open a pipe would wait for its writer, and a reload with it.
        guard status.st_mode & S_IFMT == S_IFREG else { throw PolicyFileProblem("it is not a regular file") }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw PolicyFileProblem("it cannot be opened: may this user read it?") }
        defer { try? handle.close() }
        guard let data = try handle.read(upToCount: limit + 1) else { return [] }
        guard data.count <= limit else { throw PolicyFileProblem("it is larger than \(limit) octets") }
        return Array(data)
    }
}
