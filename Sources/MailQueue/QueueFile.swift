import Foundation
import InternetMessage

/// One queue file: a head that names the lengths, the envelope as JSON, the content, and then the journal.
///
/// ```
/// postern-queue 1 <envelope octets> <header octets> <body octets> <8-bit marks>\n
/// <envelope JSON>\n
/// <header and empty line><body>\n
/// {"recipient":0,"status":…}\n        appended, one line for each step of a recipient
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
    static func parseJournal(_ bytes: [UInt8], recipients: Int) -> (steps: [Step], validLength: Int) {
        var steps: [Step] = []
        var position = 0
        let decoder = QueueJSON.decoder()
        while let end = bytes[position...].firstIndex(of: 10) {
            let line = Data(bytes[position..<end])
            if let step = try? decoder.decode(Step.self, from: line), (0..<recipients).contains(step.recipient) { steps.append(step) }
            position = end + 1
        }
        return (steps, position)
    }

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
