import Foundation
import NetworkAddress

/// A conversation of `Tests/interop/scenarios`, read as `test_scenarios.py` reads it; README.md there says how they are
/// written.
public struct Scenario: Sendable, CustomStringConvertible {
    public enum Filters: String, Sendable { case script, builtin }

    public enum Step: Sendable, Hashable {
        case client([UInt8])
        /// What the reply must be: its code or the code's first digit, its last line, or all its lines.
        case server(String)
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(description: String) { self.description = description }
    }

    public let name: String
    public private(set) var filters = Filters.script
    public private(set) var clientAddress = IPAddress("198.51.100.7")
    public private(set) var clientName: String? = "name.example"
    /// What the client hears when it connects.
    public private(set) var connected = "220"
    public private(set) var steps: [Step] = []
    /// The recipient of each message that must come, and of each that must be held; sorted.
    public private(set) var deliveries: [String] = []
    public private(set) var held: [String] = []

    public var description: String { name }

    /// - Throws: ``Failure`` for a line that is none.
    public init(contentsOf path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw Failure(description: "\(path) cannot be read") }
        name = URL(fileURLWithPath: path).lastPathComponent
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard take(line) else { throw Failure(description: "\(path): \(line)") }
        }
        deliveries.sort()
        held.sort()
    }

    private mutating func take(_ line: Substring) -> Bool {
        guard let colon = line.firstIndex(of: ":") else { return false }
        var rest = line[line.index(after: colon)...]
        if rest.hasPrefix(" ") { rest.removeFirst() }
        switch line[..<colon] {
        case "C": steps.append(.client(Self.octets(rest) + [13, 10]))
        case "B": steps.append(.client(Self.octets(rest.replacing("\\r\\n", with: "\r\n"))))
        case "S": addReply(String(rest))
        case "not on Postfix": break
        case "connected": connected = String(rest)
        case "deliver": deliveries.append(String(rest))
        case "hold": held.append(String(rest))
        case "filters":
            guard let known = Filters(rawValue: String(rest)) else { return false }
            filters = known
        case "client":
            let words = rest.split(separator: " ")
            clientAddress = words.first.flatMap { IPAddress(String($0)) }
            clientName = words.count > 1 ? String(words[1]) : nil
        default: return false
        }
        return true
    }

    /// A line like `550-…` belongs to the one after it.
    private mutating func addReply(_ text: String) {
        if case .server(let before) = steps.last, before.split(separator: "\n").last?.dropFirst(3).first == "-" {
            steps[steps.count - 1] = .server(before + "\n" + text)
        } else {
            steps.append(.server(text))
        }
    }

    /// The line's octets, `{x*5000}` made 5,000 x.
    private static func octets(_ text: some StringProtocol) -> [UInt8] {
        guard let open = text.firstIndex(of: "{"), let close = text[open...].firstIndex(of: "}") else { return Array(text.utf8) }
        let parts = text[text.index(after: open)..<close].split(separator: "*")
        guard parts.count == 2, let count = Int(parts[1]), parts[0].count == 1 else { return Array(text.utf8) }
        return Array(text[..<open].utf8) + Array(String(repeating: String(parts[0]), count: count).utf8) + octets(text[text.index(after: close)...])
    }

    /// - Parameter lines: a whole reply as it goes over the wire, without the last line end.
    public static func matches(_ expected: String, _ lines: String) -> Bool {
        let last = lines.split(separator: "\n").last.map(String.init) ?? ""
        return expected.count <= 3 ? last.hasPrefix(expected) : expected.contains("\n") ? expected == lines : expected == last
    }
}
