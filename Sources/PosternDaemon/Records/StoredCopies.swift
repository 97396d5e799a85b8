import Foundation
import InternetMessage
import Synchronization

/// Finds stored messages again: a mail client moves a file from `new` to `cur` and gives it flags behind a colon; the name
/// before that stays.
final class StoredCopies: Sendable {
    /// Files larger than this are not read.
    private static let sizeLimit = 128 << 20
    /// By `cur` folder: names without their flags, and whole.
    private let listings = Mutex<[String: [String: String]]>([:])

    /// The body of what was stored as a file; nil when it is gone. Blocks.
    @Sendable func body(_ file: String) -> MessageBody? {
        guard let path = find(file), let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: Self.sizeLimit + 1), data.count <= Self.sizeLimit else { return nil }
        return Message(parsing: Array(data)).body
    }

    private func find(_ file: String) -> String? {
        if FileManager.default.fileExists(atPath: file) { return file }
        let url = URL(fileURLWithPath: file)
        let folder = url.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("cur").path
        let names = listings.withLock { listings in
            if let known = listings[folder] { return known }
            let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let made = Dictionary(all.map { (Self.base($0), $0) }, uniquingKeysWith: { first, _ in first })
            listings[folder] = made
            return made
        }
        return names[Self.base(url.lastPathComponent)].map { folder + "/" + $0 }
    }

    private static func base(_ name: String) -> String { name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name }
}
