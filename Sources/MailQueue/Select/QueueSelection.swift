import Foundation
import InternetMessage

/// Which messages a command is for: those that meet every condition given.
public struct QueueSelection: Codable, Sendable, Hashable {
    /// nil for whatever id.
    public var ids: Set<String>?
    /// An address, `<>` for the null sender, or `@example.org` for a whole domain.
    public var sender: String?
    /// Of a recipient that is not settled; an address or `@example.org`.
    public var recipient: String?
    /// Of a recipient that is not settled; ``MailQueue/localDomain`` for copies that stay here.
    public var domain: String?
    public var arrivedBefore: Date?
    public var arrivedSince: Date?
    /// A part of why it waits, whatever its case.
    public var reason: String?
    /// Held ones only, or only those that are not; nil for both.
    public var held: Bool?

    public init() {}

    /// Whether it takes every message.
    public var isEverything: Bool { self == QueueSelection() }

    /// Whether the file must be read to know.
    var needsEnvelope: Bool { sender != nil || recipient != nil || reason != nil }

    func matches(_ envelope: QueueEnvelope) -> Bool {
        if let sender, !Self.isNamed(envelope.sender.address, sender) { return false }
        if let recipient, !envelope.pending.contains(where: { Self.isNamed(envelope.recipients[$0].address, recipient) }) { return false }
        if let reason, !envelope.waitingReasons.contains(where: { $0.range(of: reason, options: .caseInsensitive) != nil }) { return false }
        return true
    }

    private static func isNamed(_ address: EmailAddress?, _ text: String) -> Bool {
        guard let address else { return text == "<>" || text.isEmpty }
        if text.hasPrefix("@") { return address.domainText.lowercased() == text.dropFirst().lowercased() }
        return address.description.lowercased() == text.lowercased()
    }
}

extension QueueEnvelope {
    /// Why its pending recipients wait, in words; the hold's reason first.
    var waitingReasons: [String] {
        (hold.map { ["\($0.by): \($0.reason)"] } ?? []) + pending.compactMap { index in
            if case .pending(let state) = recipients[index].status { state.lastNote?.words } else { nil }
        }
    }
}

extension DeliveryNote {
    /// `mx.example.net said: 450 4.2.1 busy`.
    public var words: String {
        let code = replyCode.map { "\($0) " } ?? ""
        let said = text.hasPrefix(status) ? code + text : code + status + " " + text
        // A finding of ours about a connection names the server itself.
        guard let remoteMTA, replyCode != nil || !text.contains(remoteMTA) else { return said }
        return remoteMTA + (replyCode == nil ? ": " : " said: ") + said
    }
}
