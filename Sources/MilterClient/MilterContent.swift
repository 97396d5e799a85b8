import InternetMessage
import Milter

/// A message on its way to a milter: header, body, end, and the answer with the changes that came before it.
struct MilterContent: Sendable {
    /// SMFIC_BODY carries at most this (MILTER_CHUNK_SIZE).
    private static let chunkSize = 65535

    private let message: Message
    private let terms: MilterTerms
    /// Where the Received field of our own stands, which a milter does not see, as with Sendmail and Postfix.
    private let ownReceived: Int?
    private var collected: MilterChanges
    /// Whether the milter answered the end of the message, and not something before.
    private(set) var isComplete = false

    /// In the order in which they came, in the counting of the working copy.
    var changes: [Modification] { collected.changes }

    init(_ transaction: Transaction, _ terms: MilterTerms) {
        message = transaction.message
        self.terms = terms
        ownReceived = transaction.connection.listener == "milter" ? nil : message.header.fields.firstIndex { $0.isNamed("Received") }
        collected = MilterChanges(
            hidesReceived: ownReceived != nil, keepsLeadingSpace: terms.flags.contains(.leadingSpace), bodyCount: message.body.count)
    }

    mutating func send(over link: MilterConnection, _ configuration: MilterClientConfiguration, _ macros: MilterMacros) async throws -> FilterAnswer {
        let timeout = configuration.contentTimeout
        if let early = try await sendHeader(link, timeout, macros) { return early }
        if let early = try await sendBody(link, timeout) { return early }
        try await link.send([macros.packet(for: .endOfMessage, terms)].compactMap { $0 } + [MilterPacketWriter(.endOfMessage).finish()], within: timeout)
        while true {
            let packet = try await link.next(within: timeout, "end of message")
            guard packet.isFinal else {
                try collected.note(packet)
                continue
            }
            let answer = try MilterStatements.answer(packet)
            collected.finish()
            isComplete = true
            return answer
        }
    }

    private func sendHeader(_ link: MilterConnection, _ timeout: Duration, _ macros: MilterMacros) async throws -> FilterAnswer? {
        if !terms.flags.contains(.noHeaders) {
            let packets = message.header.fields.indices.filter { $0 != ownReceived }.map { packet(of: message.header.fields[$0]) }
            if terms.flags.contains(.noHeaderReply) {
                try await link.send(packets, within: timeout)
            } else if let early = try await exchange(packets, link, timeout, "header") {
                return early
            }
        }
        guard !terms.flags.contains(.noEndOfHeaders) else { return nil }
        try await link.send([macros.packet(for: .endOfHeaders, terms)].compactMap { $0 } + [MilterPacketWriter(.endOfHeaders).finish()], within: timeout)
        guard !terms.flags.contains(.noEndOfHeadersReply) else { return nil }
        return Self.ending(try MilterStatements.answer(await link.next(within: timeout, "end of headers")))
    }

    /// Sends packet after packet, each answered, until one is the last word or the milter wants no more of them.
    private func exchange(_ packets: [[UInt8]], _ link: MilterConnection, _ timeout: Duration, _ what: String) async throws -> FilterAnswer? {
        for packet in packets {
            try await link.send([packet], within: timeout)
            let reply = try await link.next(within: timeout, what)
            if reply == .skip { return nil }
            if let early = Self.ending(try MilterStatements.answer(reply)) { return early }
        }
        return nil
    }

    /// The value folded with LF, as Sendmail has it, and without the blank (not the tab) after the colon unless the milter
    /// asked for it (SMFIP_HDR_LEADSPC).
    private func packet(of field: HeaderField) -> [UInt8] {
        var value = field.rawValue.filter { $0 != 13 }[...]
        if !terms.flags.contains(.leadingSpace), value.first == 32 { value = value.dropFirst() }
        var packet = MilterPacketWriter(.header)
        packet.text(field.name)
        packet.text(value)
        return packet.finish()
    }

    private func sendBody(_ link: MilterConnection, _ timeout: Duration) async throws -> FilterAnswer? {
        guard !terms.flags.contains(.noBody) else { return nil }
        var offset = 0
        while offset < message.body.count {
            let chunk = try message.body.read(at: offset, upTo: Self.chunkSize)
            // A file that became shorter than it was.
            guard !chunk.isEmpty else { break }
            offset += chunk.count
            var packet = MilterPacketWriter(.body)
            packet.raw(chunk)
            try await link.send([packet.finish()], within: timeout)
            guard !terms.flags.contains(.noBodyReply) else { continue }
            let reply = try await link.next(within: timeout, "body")
            if reply == .skip { return nil }
            if let early = Self.ending(try MilterStatements.answer(reply)) { return early }
        }
        return nil
    }

    private static func ending(_ answer: FilterAnswer) -> FilterAnswer? { answer == .continue ? nil : answer }
}
