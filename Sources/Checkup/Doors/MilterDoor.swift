import Foundation
import InternetMessage
import NetworkAddress

/// Passes a message by our milter as an MTA does (the libmilter protocol, version 6), one reply to each step.
enum MilterDoor {
    /// - Returns: the filters' last word: `accept`, `continue`, a reply.
    /// - Throws: what went wrong. Blocks.
    static func pass(_ place: LineConnection.Place, _ message: TrialMessage, within time: Duration) throws -> String {
        let connection = try LineConnection(place, within: time)
        // Version 6, every modification, no step left out and none without a reply.
        let offer = try ask(connection, "O", number(6) + number(0x1ff) + number(0))
        guard offer.first == UInt8(ascii: "O"), offer.count >= 13 else { throw LineConnection.Failure(description: "it does not negotiate") }
        let connect: [UInt8] = text("localhost") + [UInt8(ascii: "4"), 0, 25] + text("127.0.0.1")
        var steps: [(Character, [UInt8])] = [("C", connect), ("H", text("localhost")), ("M", text("<>")), ("R", text("<\(message.recipient)>")), ("T", [])]
        for field in message.fields { steps.append(("L", text(field.name) + text(field.value))) }
        steps += [("N", []), ("B", Array("a trial message of postern doctor\r\n".utf8)), ("E", [])]
        // What the other side agreed to leave out.
        let protocolBits = offer[9..<13].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        for (step, data) in steps where !isLeftOut(step, protocolBits) {
            let answer = try ask(connection, step, data)
            if let verdict = verdict(answer, isLast: step == "E") { return verdict }
        }
        throw LineConnection.Failure(description: "it gives no verdict")
    }

    /// SMFIP_NOCONNECT and its like.
    private static func isLeftOut(_ step: Character, _ bits: UInt32) -> Bool {
        let flags: [Character: UInt32] = ["C": 0x01, "H": 0x02, "M": 0x04, "R": 0x08, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200]
        return flags[step].map { bits & $0 != 0 } ?? false
    }

    /// nil: go on.
    private static func verdict(_ packet: [UInt8], isLast: Bool) -> String? {
        guard let code = packet.first else { return nil }
        switch Character(Unicode.Scalar(code)) {
        case "c": return isLast ? "continue" : nil
        case "a": return "accept"
        case "r": return "reject"
        case "t": return "tempfail"
        case "d": return "discard"
        case "y": return String(decoding: packet.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
        default: return nil
        }
    }

    /// Sends a packet and reads up to the one that ends the step: modifications and progress come before it.
    private static func ask(_ connection: LineConnection, _ command: Character, _ data: [UInt8]) throws -> [UInt8] {
        try connection.send(bytes: number(UInt32(data.count + 1)) + Array(String(command).utf8) + data)
        for _ in 0..<1000 {
            let length = try connection.octets(4).reduce(0) { $0 << 8 | Int($1) }
            guard (1...1_048_576).contains(length) else { throw LineConnection.Failure(description: "it sends a packet of \(length) octets") }
            let packet = try connection.octets(length)
            if "Ocartdys".utf8.contains(packet[0]) { return packet }
        }
        throw LineConnection.Failure(description: "it does not come to an end")
    }

    private static func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) } }
    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
}
