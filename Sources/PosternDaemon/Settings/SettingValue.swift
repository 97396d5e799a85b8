import Foundation
import NetworkAddress

/// A type that a setting can have.
public protocol SettingValue: Sendable {
    /// For the reference: `string`, `list of networks`.
    static var typeName: String { get }
    /// - Throws: ``SettingMismatch`` saying what is wanted.
    init(_ item: TOMLItem, baseFolder: String) throws
    /// As the file would write it.
    var tomlText: String { get }
}

extension String: SettingValue {
    public static var typeName: String { "string" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item else { throw SettingMismatch("a string in quotes") }
        self = text
    }
    public var tomlText: String {
        "\"" + replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
}

extension Bool: SettingValue {
    public static var typeName: String { "true or false" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .boolean(let flag) = item else { throw SettingMismatch("true or false, without quotes") }
        self = flag
    }
    public var tomlText: String { self ? "true" : "false" }
}

extension Int: SettingValue {
    public static var typeName: String { "number" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .integer(let number) = item, number >= 0 else { throw SettingMismatch("a whole number, 0 or more, without quotes") }
        self = number
    }
    public var tomlText: String { String(self) }
}

extension DomainName: SettingValue {
    public static var typeName: String { "domain name" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, let name = DomainName(text), !name.isRoot else {
            throw SettingMismatch("a domain name such as \"example.org\"")
        }
        self = name
    }
    public var tomlText: String { text.tomlText }
}

extension IPNetwork: SettingValue {
    public static var typeName: String { "network" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, let network = IPNetwork(text) else {
            throw SettingMismatch("a network such as \"192.0.2.0/24\" or \"[2001:db8::]/32\"")
        }
        self = network
    }
    public var tomlText: String { description.tomlText }
}

extension Array: SettingValue where Element: SettingValue {
    public static var typeName: String { "list of \(Element.typeName)s" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .array(let items) = item else { throw SettingMismatch("a list in brackets: [ … ]") }
        self = try items.enumerated().map { index, item in
            do { return try Element(item, baseFolder: baseFolder) } catch let mismatch as SettingMismatch {
                throw SettingMismatch(mismatch.wanted, place: "[\(index + 1)]" + mismatch.place)
            }
        }
    }
    public var tomlText: String { "[" + map(\.tomlText).joined(separator: ", ") + "]" }
}

/// A time span: `300`, `"300s"`, `"5m"`, `"2h"`, `"5d"`, `"1w"`, as Postfix writes them; a bare number is seconds.
public struct TimeSpan: SettingValue, Hashable {
    public let seconds: Int
    public init(seconds: Int) { self.seconds = seconds }
    public var duration: Duration { .seconds(seconds) }

    public static var typeName: String { "time" }
    private static let longest = 10 * 366 * 86_400
    private static let units: [(Character, Int)] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    public init(_ item: TOMLItem, baseFolder: String) throws {
        let wanted = SettingMismatch("a time such as \"300s\", \"5m\", \"2h\" or \"5d\"")
        switch item {
        case .integer(let number) where number >= 0: seconds = number
        case .string(let text):
            let unit = Self.units.first { text.hasSuffix(String($0.0)) }
            let digits = unit == nil ? text[...] : text.dropLast()
            guard let number = Int(digits), number >= 0,
                case let (product, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1), !overflow
            else { throw wanted }
            seconds = product
        default: throw wanted
        }
        // Clocks count nanoseconds in 64 bits.
        guard seconds <= Self.longest else { throw SettingMismatch("at most ten years") }
    }

    public var tomlText: String { shortText.tomlText }

    /// `90s`, `1h`: as it is written, without quotes.
    public var shortText: String {
        let unit = Self.units.first { seconds >= $0.1 && seconds % $0.1 == 0 } ?? ("s", 1)
        return "\(seconds / unit.1)\(unit.0)"
    }
}

/// A file or folder; a relative one is taken from the configuration file's folder.
public struct FilePath: SettingValue, Hashable {
    public let path: String
    public init(_ path: String) { self.path = path }
    public var isEmpty: Bool { path.isEmpty }

    public static var typeName: String { "path" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, !text.utf8.contains(0) else { throw SettingMismatch("a path in quotes") }
        self = FilePath(text).resolved(from: baseFolder)
    }

    func resolved(from folder: String) -> FilePath {
        isEmpty || path.hasPrefix("/") ? self : FilePath(folder + "/" + path)
    }
    public var tomlText: String { path.tomlText }
}

/// Where to listen: `"*:25"`, `"127.0.0.1:2525"`, `"[::1]:25"`.
public struct ListenAddress: SettingValue, Hashable, CustomStringConvertible {
    /// nil means every address, IPv4 and IPv6.
    public let host: IPAddress?
    public let port: Int

    public init(host: IPAddress?, port: Int) {
        self.host = host
        self.port = port
    }

    public static var typeName: String { "address:port" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, let address = Self.parse(text) else {
            throw SettingMismatch("an address and a port such as \"*:25\", \"192.0.2.1:25\" or \"[::1]:25\"")
        }
        self = address
    }

    private static func parse(_ text: String) -> ListenAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host == "*" || host.isEmpty { return ListenAddress(host: nil, port: port) }
        if host == "localhost" { return ListenAddress(host: .v4Loopback, port: port) }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() } else if host.contains(":") { return nil }
        guard let address = IPAddress(host) else { return nil }
        return ListenAddress(host: address, port: port)
    }

    public var description: String {
        guard let host else { return "*:\(port)" }
        return host.family == .v4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
    public var tomlText: String { description.tomlText }
}

/// One of a fixed set of words.
public struct Choice<Words: CaseIterable & RawRepresentable & Sendable>: SettingValue where Words.RawValue == String, Words.AllCases: Sendable {
    public let word: Words
    public init(_ word: Words) { self.word = word }

    public static var typeName: String { "one of " + Words.allCases.map(\.rawValue).joined(separator: ", ") }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, let word = Words(rawValue: text) else { throw SettingMismatch(Self.typeName + ", in quotes") }
        self.word = word
    }
    public var tomlText: String { word.rawValue.tomlText }
}
