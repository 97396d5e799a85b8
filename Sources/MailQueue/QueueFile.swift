import Foundation
import InternetMessage

/// One queue file: a head that names the lengths, the envelope as JSON, the content, and then the journal.
///
/// ```
/// postern-queue 1 <envelope octets> <header octets> <body octets> <8-bit marks>\n
/// <envelope JSON>\n
/// <header and empty line><body>\n
/// {"recipient":0,"status":…}\n        appended, one line for each step of a recipient
/// {"hold":{…}}\n and {"release":true}\n  when it is kept back, and let go
/// ```
/// Everything but the journal is written once, synced, and renamed into place. The journal only grows, so a crash can
/// damage its last line at the most, and that line was not acknowledged to anybody.
struct QueueFile {
    struct Head: Equatable {
        var envelope: Int
        var header: Int
        var body: Int
        var headerIs8Bit: Bool
        var bodyIs8Bit: Bool
        /// Octets of the head line, its line feed included.
        var length: Int

        var contentOffset: Int { length + envelope + 1 }
        var journalOffset: Int { contentOffset + header + body + 1 }
    }

    /// One journal line.
    struct Step: Codable {
        var recipient: Int
        var status: RecipientStatus
    }

    /// A line as it lies there; one of these.
    enum Line {
        case step(Step)
        case hold(QueueHold)
        case release
    }

    private struct HoldLine: Codable { var hold: QueueHold }
    private struct ReleaseLine: Codable { var release: Bool }

    static let headLimit = 128
    /// More than any envelope of 10,000 recipients needs.
    static let envelopeLimit = 16 << 20
    static let journalLimit = 64 << 20

    static func headLine(envelope: Int, header: Int, body: Int, headerIs8Bit: Bool, bodyIs8Bit: Bool) -> [UInt8] {
        let marks = headerIs8Bit ? (bodyIs8Bit ? "hb" : "h") : (bodyIs8Bit ? "b" : "-")
        return Array("postern-queue 1 \(envelope) \(header) \(body) \(marks)\n".utf8)
    }

    /// - Returns: nil when the octets do not begin with a head line of this version.
    static func parseHead(_ bytes: ArraySlice<UInt8>) -> Head? {
        guard let end = bytes.prefix(headLimit).firstIndex(of: 10) else { return nil }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0] == "postern-queue", words[1] == "1",
            let envelope = Int(words[2]), let header = Int(words[3]), let body = Int(words[4]),
            (0...envelopeLimit).contains(envelope), header >= 0, body >= 0, header < 1 << 40, body < 1 << 40,
            ["hb", "h", "b", "-"].contains(words[5]) else { return nil }
        return Head(envelope: envelope, header: header, body: body, headerIs8Bit: words[5].contains("h"), bodyIs8Bit: words[5].contains("b"),
                    length: end - bytes.startIndex + 1)
    }

    /// The journal's whole lines; `validLength` is where the next one may be appended. A whole line that does not parse
    /// is passed over, since a later one may be what keeps a recipient from a second copy.
    static func parseJournal(_ bytes: [UInt8], recipients: Int) -> (lines: [Line], validLength: Int) {
        var lines: [Line] = []
        var position = 0
        let decoder = QueueJSON.decoder()
        while let end = bytes[position...].firstIndex(of: 10) {
            if let line = parseLine(Data(bytes[position..<end]), recipients, decoder) { lines.append(line) }
            position = end + 1
        }
        return (lines, position)
    }

    private static func parseLine(_ data: Data, _ recipients: Int, _ decoder: JSONDecoder) -> Line? {
        if let step = try? decoder.decode(Step.self, from: data) { return (0..<recipients).contains(step.recipient) ? .step(step) : nil }
        if let line = try? decoder.decode(HoldLine.self, from: data) { return .hold(line.hold) }
        return (try? decoder.decode(ReleaseLine.self, from: data)).map { _ in .release }
    }

    /// The line that keeps a message back, or lets it go.
    static func encode(_ hold: QueueHold?) throws -> [UInt8] {
        let encoder = QueueJSON.encoder()
        return Array(try hold.map { try encoder.encode(HoldLine(hold: $0)) } ?? encoder.encode(ReleaseLine(release: true))) + [10]
    }

    static func steps(_ statuses: [Int: RecipientStatus]) -> [Step] { statuses.sorted { $0.key < $1.key }.map { Step(recipient: $0.key, status: $0.value) } }

    static func encode(_ steps: [Step]) throws -> [UInt8] {
        let encoder = QueueJSON.encoder()
        return try steps.flatMap { try Array(encoder.encode($0)) + [10] }
    }
}

enum QueueJSON {
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }
}
