import Foundation
import InternetMessage
import NetworkAddress
@testable import Tags
import Testing

/// A folder of its own for each test, removed at the end.
final class Workshop {
    let folder = NSTemporaryDirectory() + "tags-" + UUID().uuidString
    var path: String { folder + "/tags.sqlite" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// No timer, no waiting before another process's changes are seen.
    func ledger(_ change: (inout TagLedger.Options) -> Void = { _ in }) throws -> TagLedger {
        var options = TagLedger.Options()
        options.flushInterval = nil
        options.refreshInterval = .zero
        options.reportFlushFailure = { Issue.record($0) }
        change(&options)
        return try TagLedger(path: path, mintingKey: Array(1...32), options: options)
    }
}

func domain(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

func tag(_ detail: String, of base: String = "alice@example.org") throws -> TagAddress {
    TagAddress(base: try #require(EmailAddress(base)), detail: detail)
}

func dmarc(_ name: String) throws -> SenderIdentity { SenderIdentity(try domain(name), by: .dmarc) }

let start = Date(timeIntervalSince1970: 1_700_000_000)

extension TagLedger {
    /// Judges a message of the day given, without care for its id.
    func verdict(_ tag: TagAddress, _ identity: SenderIdentity, _ id: String = "m", after seconds: Double = 0) throws -> TagVerdict {
        try judge(tag: tag, identity: identity, messageID: id, at: start + seconds)
    }
}
