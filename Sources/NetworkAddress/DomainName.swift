import Foundation

/// A DNS domain name in the one form everything here compares: lower-case A-labels, no trailing dot.
///
/// U-labels are accepted and turned into A-labels (NFC, lower case, punycode of RFC 3492; the mapping step of
/// UTS 46 beyond case is not applied). The root is the empty name.
public struct DomainName: Sendable, Hashable, CustomStringConvertible, Comparable {
    /// Lower-case ASCII, without the trailing dot: `example.org`, `xn--bcher-kva.example`.
    public let text: String

    /// Any labels of 1 to 63 octets, 253 octets in all (RFC 1035 §2.3.4); underscores and other octets are allowed,
    /// since `_dmarc` and `_25._tcp` are names too. Returns nil for an empty label or an overlong name.
    public init?(_ text: some StringProtocol) {
        // Nearly every name is ASCII, and names are made by the dozen for each message.
        switch text.utf8.withContiguousStorageIfAvailable(Self.loweredASCII) ?? Array(text.utf8).withUnsafeBufferPointer(Self.loweredASCII) {
        case .name(let text): self.text = text; return
        case .refused: return nil
        case .notASCII: break
        }
        // By scalars: a dot and a combining mark behind it are one Character, and the mark would take the dot into a label.
        var scalars = Substring(text).unicodeScalars
        if scalars.last == "." || scalars.last == "\u{3002}" { scalars.removeLast() }
        if scalars.isEmpty { self.text = ""; return }
        var labels: [String] = []
        for label in scalars.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "." || $0 == "\u{3002}" }) {
            guard let ascii = Self.asciiLabel(Substring(label)), (1...63).contains(ascii.utf8.count) else { return nil }
            labels.append(ascii)
        }
        let joined = labels.joined(separator: ".")
        guard joined.utf8.count <= 253 else { return nil }
        self.text = joined
    }

    /// The root, `.`.
    public static let root = DomainName(unchecked: "")

    /// A name to ask the DNS for whose labels may hold any ASCII octet but the dot, blanks and control octets
    /// included, as RFC 2181 §11 allows and as SPF macros make them (RFC 7208 §7.1's `%_`). Same limits otherwise.
    public init?(queryName text: some StringProtocol) {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            self.init(text)
            return
        }
        let name = text.hasSuffix(".") ? String(text.dropLast()) : String(text)
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, name.isEmpty || labels.allSatisfy({ (1...63).contains($0.utf8.count) }) else { return nil }
        self.init(unchecked: name.lowercased())
    }

    private init(unchecked text: String) { self.text = text }

    public var isRoot: Bool { text.isEmpty }
    public var labels: [Substring] {
        // By octets: names are ASCII, and looking for the ends of Characters costs more than all the rest.
        text.utf8.split(separator: 46).map { Substring($0) }
    }
    /// How many labels there are; 0 for the root.
    public var labelCount: Int { text.isEmpty ? 0 : text.utf8.reduce(1) { $1 == 46 ? $0 + 1 : $0 } }
    /// The rightmost label; empty for the root.
    public var lastLabel: Substring { Substring(text.utf8.lastIndex(of: 46).map { text.utf8[text.utf8.index(after: $0)...] } ?? text.utf8[...]) }
    /// Whether no label begins or ends with a hyphen, as no host name's does (RFC 1123 §2.1).
    public var keepsHyphensInside: Bool {
        var previous = UInt8(ascii: ".")
        for octet in text.utf8 {
            if octet == 45 && previous == 46 || octet == 46 && previous == 45 { return false }
            previous = octet
        }
        return previous != 45
    }
    public var description: String { text.isEmpty ? "." : text }

    /// The name without its leftmost label, or nil at the root.
    public var parent: DomainName? {
        guard !text.isEmpty else { return nil }
        guard let dot = text.firstIndex(of: ".") else { return DomainName(unchecked: "") }
        return DomainName(unchecked: String(text[text.index(after: dot)...]))
    }

    /// `prefix.self`, or nil when that would be too long or malformed.
    public func prepending(_ prefix: String) -> DomainName? {
        text.isEmpty ? DomainName(prefix) : DomainName(prefix + "." + text)
    }

    /// Whether this name equals `other` or lies below it.
    public func isSame(orBelow other: DomainName) -> Bool {
        other.text.isEmpty || text == other.text || text.hasSuffix("." + other.text)
    }

    /// Whether every label is letters, digits and hyphens, as a host name's must be (RFC 1123 §2.1).
    public var isHostName: Bool {
        !text.isEmpty && keepsHyphensInside && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
    }

    /// The name for people: A-labels decoded to Unicode. A label stays as it is when what it decodes to is another name, or
    /// holds what IDNA never lets a name hold (RFC 5892): nothing invisible, no blank, no change of direction.
    public var unicode: String {
        labels.map { Self.shown($0) ?? String($0) }.joined(separator: ".")
    }

    /// What an A-label stands for; nil for any other label, and where that is no name that IDNA lets be.
    static func shown(_ label: Substring) -> String? {
        guard label.hasPrefix("xn--"), let decoded = Punycode.decode(label.dropFirst(4)), decoded.unicodeScalars.allSatisfy(isVisible),
            asciiLabel(Substring(decoded)) == String(label) else { return nil }
        // RFC 5891 §4.2.3: no mark at the beginning, which would sit on the dot before it, and no hyphens at 3 and 4.
        if decoded.utf8.dropFirst(2).starts(with: [45, 45]) || decoded.unicodeScalars.first.map(isMark) != false { return nil }
        return decoded
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool { [.nonspacingMark, .spacingMark].contains(scalar.properties.generalCategory) }

    /// RFC 5892 §2.1: letters, marks and decimal digits, and the hyphen.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: !scalar.properties.isDefaultIgnorableCodePoint
        default: scalar == "-"
        }
    }

    public static func < (a: DomainName, b: DomainName) -> Bool { a.text < b.text }

    private enum ASCIIForm {
        case name(String)
        case refused
        case notASCII
    }

    /// The whole name at once: lower case, without a final dot, labels and name within their limits.
    private static func loweredASCII(_ octets: UnsafeBufferPointer<UInt8>) -> ASCIIForm {
        guard octets.allSatisfy({ $0 < 0x80 }) else { return .notASCII }
        let name = octets.last == 46 ? UnsafeBufferPointer(rebasing: octets.dropLast()) : octets
        guard !name.isEmpty else { return .name("") }
        guard name.count <= 253 else { return .refused }
        var label = 0
        for octet in name {
            guard octet != 46 else {
                if label == 0 { return .refused }
                label = 0
                continue
            }
            label += 1
            guard label <= 63, octet > 0x20, octet != 0x7f else { return .refused }
        }
        guard label > 0 else { return .refused }
        return .name(String(unsafeUninitializedCapacity: name.count) { out in
            for (index, octet) in name.enumerated() { out[index] = (65...90).contains(octet) ? octet | 0x20 : octet }
            return name.count
        })
    }

    private static func asciiLabel(_ label: Substring) -> String? {
        // Mapping may leave nothing but ASCII: the Kelvin sign becomes a k. What ASCII there is in a U-label stands in the
        // A-label as it is, so that control octets must be kept out here too.
        let mapped = label.lowercased().precomposedStringWithCanonicalMapping
        guard mapped.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        return mapped.utf8.allSatisfy { $0 < 0x80 } ? mapped : Punycode.encode(mapped).map { "xn--" + $0 }
    }
}
