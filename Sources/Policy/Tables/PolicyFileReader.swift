import Foundation

/// How rule and table files are read: injected, so that checks and tests need no disk.
public protocol PolicyFileReader: Sendable {
    /// The paths of the `*.policy` files directly in a folder, in the order in which their rules are asked. Blocks.
    func policyFiles(in folder: String) throws -> [String]
    /// A file's octets. Blocks.
    /// - Throws: ``PolicyFileProblem`` when it cannot be read or is larger than `limit` octets.
    func read(_ path: String, limit: Int) throws -> [UInt8]
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

    public func read(_ path: String, limit: Int) throws -> [UInt8] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw PolicyFileProblem("there is no such file") }
        guard !isFolder.boolValue, let handle = FileHandle(forReadingAtPath: path) else {
            throw PolicyFileProblem("it cannot be opened: is it a file, and may this user read it?")
        }
        defer { try? handle.close() }
        guard let data = try handle.read(upToCount: limit + 1) else { return [] }
        guard data.count <= limit else { throw PolicyFileProblem("it is larger than \(limit) octets") }
        return Array(data)
    }
}
