import Foundation

/// The conversation over the control socket: a request is a line of JSON, the answer lines of JSON, of which the last has
/// `end` or `error`; then the server closes.
///
/// ```
/// {"arguments":{…},"command":"queue","version":1}
/// {"item":{…}}
/// {"end":true}
/// ```
public struct ControlRequest: Sendable {
    /// What both sides speak; another number is answered with an error that names ours.
    public static let version = 1
    /// Octets of a request at the most.
    public static let longest = 4 << 20

    public let command: String
    private let whole: Data

    private struct Head: Decodable {
        let version: Int
        let command: String
    }

    private struct Arguments<Value: Decodable>: Decodable { let arguments: Value }
    private struct Line<Value: Encodable>: Encodable {
        let version: Int
        let command: String
        let arguments: Value
    }

    /// - Parameter line: without its line feed.
    /// - Throws: ``ControlError`` that the client is told.
    init(line: Data) throws(ControlError) {
        guard let head = try? ControlJSON.decoder().decode(Head.self, from: line) else { throw ControlError("not a request: a line of JSON with version and command is expected") }
        guard head.version == Self.version else {
            throw ControlError("the server speaks version \(Self.version) of the control protocol, not \(head.version): use the postern that the server runs, or restart the server")
        }
        command = head.command
        whole = line
    }

    /// What the client gave, as the command's type.
    /// - Throws: ``ControlError``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ControlError) -> Value {
        guard let read = try? ControlJSON.decoder().decode(Arguments<Value>.self, from: whole) else {
            throw ControlError("the arguments of '\(command)' are not what this server expects")
        }
        return read.arguments
    }

    static func line(_ command: String, _ arguments: some Encodable) throws -> Data {
        try ControlJSON.encode(Line(version: version, command: command, arguments: arguments)) + [10]
    }
}

/// Why a command could not be done, in words for an operator.
public struct ControlError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

enum ControlJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }
}

/// A line of an answer: an item, or how it ended. One shape for both, so that a line is read once.
struct AnswerLine<Item: Codable>: Codable {
    var item: Item?
    var end: Bool?
    var error: String?
}

/// Stands for the item of a line that has none.
struct NoItem: Codable {}
