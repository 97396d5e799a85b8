import Accounts
import DNS
import Foundation
import Logging
import NIOPosix
import Tags

/// What a chain stands on when nothing may come of it: the real accounts, and a copy of the ledger in a folder of its own.
final class TrialGround {
    let ground: LiveParts.Ground
    private let folder: String

    /// Blocks.
    /// - Throws: what cannot be read, in words for an operator.
    init(_ settings: Settings, resolver: any DNS.Resolver, logger: Logger) throws {
        let data = settings[Known.dataDirectory].path
        folder = try Self.makeFolder()
        do {
            let ledger = try Self.ledger(data, in: folder)
            let accounts = data + "/accounts.sqlite"
            let exists = FileManager.default.fileExists(atPath: accounts)
            ground = LiveParts.Ground(
                resolver: resolver,
                accounts: try LiveParts.accounts(at: exists ? accounts : folder + "/accounts.sqlite", settings),
                ledger: ledger, evaluations: nil, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    func close() {
        ground.ledger.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func ledger(_ data: String, in folder: String) throws -> TagLedger {
        let files = FileManager.default
        if files.fileExists(atPath: data + "/tags.sqlite") { try TagLedger.copy(from: data + "/tags.sqlite", to: folder + "/tags.sqlite") }
        // Without a key of the installation no tag of it can have been minted: any key will do, and none is left behind.
        let key = data + "/tag-minting.key"
        let minting = try MintingKey.load(files.fileExists(atPath: key) ? key : folder + "/tag-minting.key")
        return try TagLedger(path: folder + "/tags.sqlite", mintingKey: minting)
    }

    private static func makeFolder() throws -> String {
        var template = Array((NSTemporaryDirectory() + "/postern-verify-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Privileges.Failure(description: "no temporary folder: \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
