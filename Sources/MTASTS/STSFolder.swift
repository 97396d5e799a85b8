import Foundation
import NetworkAddress

/// A policy as it is kept on disk.
struct KeptPolicy: Codable, Sendable, Hashable {
    /// Of the record that announced it.
    var id: String
    var text: String
    var fetched: Date
    /// `fetched` and the policy's `max_age`.
    var expiry: Date
}

/// One JSON file for each domain. What cannot be read counts as not there. Blocks.
struct STSFolder: Sendable {
    private let path: String

    init(_ path: String) { self.path = path }

    /// nil for a name too long for a file.
    private func file(_ domain: DomainName) -> String? {
        domain.isHostName && domain.text.utf8.count <= 240 ? "\(path)/\(domain).json" : nil
    }

    func read(_ domain: DomainName) -> KeptPolicy? {
        guard let file = file(domain), let data = FileManager.default.contents(atPath: file) else { return nil }
        return try? JSONDecoder().decode(KeptPolicy.self, from: data)
    }

    func write(_ policy: KeptPolicy, _ domain: DomainName) {
        guard let file = file(domain), let data = try? JSONEncoder().encode(policy) else { return }
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? data.write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}
