import InternetMessage
import Milter

/// A message on its way to a milter, and the changes that come back.
struct MilterContent: Sendable {
    /// SMFIC_BODY carries at most this (MILTER_CHUNK_SIZE).
    private static let chunkSize = 65535

    /// A milter that makes a message larger than this is out of order.
    private static let bodyLimit = 256 << 20

    private let message: Message
    /// The Received field of our own at the top, which a milter does not see, as with Postfix.
    private let hidden: Int
    /// In the order in which they came, in the counting of the working copy.
    private(set) var changes: [Modification] = []
    private var newBody: [UInt8]?

    init(_ transaction: Transaction) {
        message = transaction.message
        hidden = transaction.connection.listener != "milter" && message.header.fields.first?.isNamed("Received") == true ? 1 : 0
    }

    mutating func send(over link: MilterConnection, _ terms: MilterTerms, _ configuration: MilterClientConfiguration, _ macros: MilterMacros) async throws -> FilterAnswer {
        if let early = try await sendHeader(link, terms, configuration, macros) { return early }
        if let early = try await sendBody(link, terms, configuration) { return early }
        try await link.send([macros.packet(for: .endOfMessage, terms)].compactMap { $0 } + [MilterPacketWriter(.endOfMessage).finish()])
        while true {
            let packet = try await link.next(within: configuration.contentTimeout, "end of message")
            guard packet.isFinal else {
                try note(packet)
                continue
            }
            if let newBody { changes.append(.replaceBody(MessageBody(newBody))) }
            return try MilterStatements.answer(packet)
        }
    }

    // MARK: To the milter

    private func sendHeader(_ link: MilterConnection, _ terms: MilterTerms, _ configuration: MilterClientConfiguration, _ macros: MilterMacros) async throws -> FilterAnswer? {
        if !terms.flags.contains(.noHeaders) {
            let packets = message.header.fields.dropFirst(hidden).map { header($0, terms) }
            if terms.flags.contains(.noHeaderReply) {
                try await link.send(packets)
            } else {
                for packet in packets {
                    try await link.send([packet])
                    if let early = try await verdict(link, configuration, "header") { return early }
                }
            }
        }
        guard !terms.flags.contains(.noEndOfHeaders) else { return nil }
        try await link.send([macros.packet(for: .endOfHeaders, terms)].compactMap { $0 } + [MilterPacketWriter(.endOfHeaders).finish()])
        return terms.flags.contains(.noEndOfHeadersReply) ? nil : try await verdict(link, configuration, "end of headers")
    }

    /// The value without the blank after the colon, unless the milter asked for it; folded with LF, as sendmail has it.
    private func header(_ field: HeaderField, _ terms: MilterTerms) -> [UInt8] {
        var value = field.rawValue.filter { $0 != 13 }[...]
        if !terms.flags.contains(.leadingSpace), value.first == 32 { value = value.dropFirst() }
        var packet = MilterPacketWriter(.header)
        packet.text(field.name)
        packet.text(value)
        return packet.finish()
    }

    private func sendBody(_ link: MilterConnection, _ terms: MilterTerms, _ configuration: MilterClientConfiguration) async throws -> FilterAnswer? {
        guard !terms.flags.contains(.noBody) else { return nil }
        var offset = 0
        while offset < message.body.count {
            let chunk = try message.body.read(at: offset, upTo: Self.chunkSize)
            offset += chunk.count
            var packet = MilterPacketWriter(.body)
            packet.raw(chunk)
            try await link.send([packet.finish()])
            guard !terms.flags.contains(.noBodyReply) else { continue }
            let reply = try await link.next(within: configuration.contentTimeout, "body")
            if reply == .skip { return nil }
            if let early = Self.ending(try MilterStatements.answer(reply)) { return early }
        }
        return nil
    }

    private func verdict(_ link: MilterConnection, _ configuration: MilterClientConfiguration, _ what: String) async throws -> FilterAnswer? {
        Self.ending(try MilterStatements.answer(await link.next(within: configuration.contentTimeout, what)))
    }

    private static func ending(_ answer: FilterAnswer) -> FilterAnswer? { answer == .continue ? nil : answer }

    // MARK: From the milter

    private mutating func note(_ packet: MilterReplyPacket) throws {
        switch packet {
        case .addHeader(let name, let value): changes.append(.addHeader(field(name, value)))
        case .insertHeader(let index, let name, let value):
            // 0 is above everything, ours too; other places are counted in what the milter saw.
            changes.append(.insertHeader(index: index == 0 ? 0 : index + hidden, field(name, value)))
        case .changeHeader(let occurrence, let name, let value):
            let shift = hidden == 1 && name.lowercased() == "received" ? 1 : 0
            changes.append(.changeHeader(name: name, occurrence: max(occurrence, 1) + shift, value.isEmpty ? nil : field(name, value)))
        case .addRecipient(let text, let parameters): changes.append(.addRecipient(EnvelopeRecipient(try address(text), parameters: Self.parameters(parameters))))
        case .deleteRecipient(let text): changes.append(.removeRecipient(try address(text)))
        case .changeSender(let text, let parameters):
            changes.append(.changeSender(EnvelopeSender(text == "<>" || text.isEmpty ? nil : try address(text), parameters: Self.parameters(parameters))))
        case .replaceBody(let octets):
            newBody = (newBody ?? []) + octets
            guard newBody?.count ?? 0 <= Self.bodyLimit else { throw MilterClientError.babble("a new body larger than \(Self.bodyLimit) octets") }
        case .quarantine(let reason): changes.append(.quarantine(reason))
        default: throw MilterClientError.babble("an unexpected packet")
        }
    }

    /// Line ends as the milter folds them become CRLF; a blank is put after the colon where the milter left it out.
    private func field(_ name: String, _ value: [UInt8]) -> HeaderField {
        let folded = LineEnds.toCRLF(value)
        return HeaderField(name: name, rawValue: folded.first == 32 || folded.first == 9 ? folded : [32] + folded)
    }

    private func address(_ text: String) throws -> EmailAddress {
        let bare = text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
        guard let address = EmailAddress(bare) else { throw MilterClientError.babble("\"\(text.prefix(80))\" is no address") }
        return address
    }

    private static func parameters(_ text: String) -> [String: String] {
        Dictionary(text.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1)
            return (parts[0].uppercased(), parts.count == 2 ? String(parts[1]) : "")
        }, uniquingKeysWith: { $1 })
    }
}
