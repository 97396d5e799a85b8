import InternetMessage
import Milter

/// The changes that a milter makes at end of message, in our words and our counting.
struct MilterChanges: Sendable {
    /// A milter that makes more changes to one message, or larger ones, is out of order.
    static let countLimit = 10_000
    private static let octetsLimit = 16 << 20
    /// A new body may be larger than the old one by this.
    private static let bodyGrowth = 64 << 20

    private(set) var changes: [Modification] = []
    private let hidesReceived: Bool
    private let keepsLeadingSpace: Bool
    private let bodyLimit: Int
    private var newBody: [UInt8]?
    private var octets = 0

    /// - Parameters:
    ///   - hidesReceived: whether the milter was not shown our own Received field.
    ///   - keepsLeadingSpace: whether values come with what stands after the colon (SMFIP_HDR_LEADSPC).
    ///   - bodyCount: octets of the body it was shown.
    init(hidesReceived: Bool, keepsLeadingSpace: Bool, bodyCount: Int) {
        self.hidesReceived = hidesReceived
        self.keepsLeadingSpace = keepsLeadingSpace
        bodyLimit = bodyCount + Self.bodyGrowth
    }

    /// - Throws: ``MilterClientError/babble(_:)`` for what is no change, or none that could be made.
    mutating func note(_ packet: MilterReplyPacket) throws {
        if case .replaceBody(let piece) = packet { return try note(body: piece) }
        changes.append(try change(packet))
        guard changes.count <= Self.countLimit, octets <= Self.octetsLimit else { throw MilterClientError.babble("more changes than any message needs") }
    }

    /// The end has come: the pieces of a new body are one change, wherever they stood among the others.
    mutating func finish() {
        guard let newBody else { return }
        changes.append(.replaceBody(MessageBody(LineEnds.toCRLF(newBody))))
    }

    private mutating func note(body piece: [UInt8]) throws {
        newBody = newBody ?? []
        newBody?.append(contentsOf: piece)
        guard newBody?.count ?? 0 <= bodyLimit else { throw MilterClientError.babble("a new body larger than \(bodyLimit) octets") }
    }

    private mutating func change(_ packet: MilterReplyPacket) throws -> Modification {
        switch packet {
        case .addHeader(let name, let value): .addHeader(try field(name, value))
        // Counted in the message as delivered, our own Received field included (Postfix's cleanup_milter.c; Sendmail).
        case .insertHeader(let index, let name, let value): .insertHeader(index: index, try field(name, value))
        // Counted from 1 in the message as the milter was shown it; 0 stands for 1 (milter8.c).
        case .changeHeader(let occurrence, let name, let value):
            .changeHeader(name: try fieldName(name), occurrence: max(occurrence, 1) + (hidesReceived && name.lowercased() == "received" ? 1 : 0),
                          value.isEmpty ? nil : try field(name, value))
        case .addRecipient(let text, let parameters): .addRecipient(EnvelopeRecipient(try address(text), parameters: Self.parameters(parameters)))
        case .deleteRecipient(let text): .removeRecipient(try address(text))
        case .changeSender(let text, let parameters):
            .changeSender(EnvelopeSender(text == "<>" || text.isEmpty ? nil : try address(text), parameters: Self.parameters(parameters)))
        case .quarantine(let reason): .quarantine(reason)
        default: throw MilterClientError.babble("an unexpected packet at the end of the message")
        }
    }

    /// Line ends as the milter folds them become CRLF; the blank after the colon is ours to add unless it was agreed
    /// that values bring it. Exactly so: a signature over the field depends on it.
    private mutating func field(_ name: String, _ value: [UInt8]) throws -> HeaderField {
        octets += value.count
        return HeaderField(name: try fieldName(name), rawValue: (keepsLeadingSpace ? [] : [32]) + LineEnds.toCRLF(value))
    }

    /// RFC 5322 §3.6.8.
    private func fieldName(_ name: String) throws -> String {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 58 }) else {
            throw MilterClientError.babble("\"\(name.prefix(80))\" is no name of a header field")
        }
        return name
    }

    private func address(_ text: String) throws -> EmailAddress {
        let bare = text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
        guard let address = EmailAddress(bare) else { throw MilterClientError.babble("\"\(text.prefix(80))\" is no address") }
        return address
    }

    /// `NOTIFY=SUCCESS ORCPT=rfc822;a@b`: as MAIL and RCPT have them.
    private static func parameters(_ text: String) -> [String: String] {
        Dictionary(text.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1)
            return ((parts.first ?? "").uppercased(), parts.count == 2 ? String(parts[1]) : "")
        }, uniquingKeysWith: { $1 })
    }
}
