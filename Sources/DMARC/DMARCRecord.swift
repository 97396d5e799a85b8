/// A policy of a DMARC Policy Record (RFC 9989 §4.7), from mild to strict.
public enum DMARCPolicy: String, Sendable, Hashable, CaseIterable, Comparable {
    case none, quarantine, reject

    /// What `t=y` makes of it: one level milder.
    var tested: DMARCPolicy { self == .reject ? .quarantine : .none }

    private var rank: Int { self == .none ? 0 : self == .quarantine ? 1 : 2 }
    public static func < (a: DMARCPolicy, b: DMARCPolicy) -> Bool { a.rank < b.rank }
}

/// A DMARC Policy Record (RFC 9989 §4.7 and §4.8).
public struct DMARCRecord: Sendable, Hashable {
    public enum Alignment: String, Sendable, Hashable { case relaxed = "r", strict = "s" }
    public enum PublicSuffix: String, Sendable, Hashable { case yes = "y", no = "n", unknown = "u" }

    /// As published; octets outside printable US-ASCII are `?`.
    public let text: String
    public let p: DMARCPolicy
    public let sp: DMARCPolicy?
    public let np: DMARCPolicy?
    public let psd: PublicSuffix
    public let adkim: Alignment
    public let aspf: Alignment
    /// `t=y`: the owner asks for one level less than the policy says.
    public let isTesting: Bool
    /// Where aggregate reports go: URIs that are well-formed, an obsolete `!size` cut off.
    public let rua: [String]
    /// Where failure reports go, likewise.
    public let ruf: [String]
    /// Failure reporting options; `0` unless given.
    public let fo: String
    /// Why nothing may be done with the record (§4.10.1): p, sp or np has an unknown value and no report address would
    /// learn of it. The policies are then all `none`.
    public let defect: String?

    /// - Returns: nil unless the octets begin with `v=DMARC1` as a whole tag: other TXT records are not DMARC's business.
    public init?(_ octets: [UInt8]) {
        let tags = TagList(octets)
        // The name of the tag in any case, its value exactly (§4.8: %s"DMARC1").
        guard tags.first?.name == "v", tags.first?.value == "DMARC1" else { return nil }
        text = String(decoding: octets.prefix(4096).map { (32...126).contains($0) ? $0 : 63 }, as: UTF8.self)
        rua = ReportingURI.list(tags["rua"])
        ruf = ReportingURI.list(tags["ruf"])
        fo = tags["fo"] ?? "0"
        // §4.8: what is wrong in these tags is as if it were not there.
        psd = tags["psd"].flatMap { PublicSuffix(rawValue: $0.lowercased()) } ?? .unknown
        adkim = tags["adkim"].flatMap { Alignment(rawValue: $0.lowercased()) } ?? .relaxed
        aspf = tags["aspf"].flatMap { Alignment(rawValue: $0.lowercased()) } ?? .relaxed
        isTesting = tags["t"]?.lowercased() == "y"

        let wrong = ["p", "sp", "np"].first { name in tags[name].map { DMARCPolicy(rawValue: $0.lowercased()) == nil } ?? false }
        guard let wrong else {
            // §4.7: a missing p is p=none.
            p = tags["p"].flatMap { DMARCPolicy(rawValue: $0.lowercased()) } ?? .none
            sp = tags["sp"].flatMap { DMARCPolicy(rawValue: $0.lowercased()) }
            np = tags["np"].flatMap { DMARCPolicy(rawValue: $0.lowercased()) }
            defect = nil
            return
        }
        // §4.10.1: such a record counts as p=none if somebody asked for reports, and otherwise not at all.
        (p, sp, np) = (.none, nil, nil)
        defect = rua.isEmpty ? "its tag \(wrong) is not one of none, quarantine and reject (RFC 9989 section 4.10.1)" : nil
    }
}

/// `name=value` pairs between semicolons (RFC 9989 §4.8). What is not of that form is left out.
struct TagList {
    /// Names in lower case, values without blanks at their ends, in the order published.
    private let tags: [(name: String, value: String)]

    var first: (name: String, value: String)? { tags.first }
    /// The first of that name: a repeated tag is an error in the remainder, which is discarded.
    subscript(name: String) -> String? { tags.first { $0.name == name }?.value }

    init(_ octets: [UInt8]) {
        var tags: [(String, String)] = []
        for (position, part) in octets.split(separator: 59, omittingEmptySubsequences: false).enumerated() {
            let tag = Self.tag(part, isFirst: position == 0)
            if position == 0, tag == nil { break }
            if let tag { tags.append(tag) }
        }
        self.tags = tags
    }

    private static func tag(_ part: ArraySlice<UInt8>, isFirst: Bool) -> (String, String)? {
        guard let equals = part.firstIndex(of: 61) else { return nil }
        // A record begins with its version, without blanks before it.
        if isFirst, let first = part.first, isBlank(first) { return nil }
        let name = trimmed(part[..<equals]), value = trimmed(part[part.index(after: equals)...])
        let isName = !name.isEmpty && name.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
        guard isName, value.allSatisfy({ (32...126).contains($0) }) else { return nil }
        return (String(decoding: name, as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}

/// dmarc-urilist (RFC 9989 §4.8): RFC 3986 URIs between commas.
enum ReportingURI {
    static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").compactMap { part in
            let uri = part.prefix { $0 != "!" }.drop { $0 == " " }
            let trimmed = String(uri.reversed().drop { $0 == " " }.reversed())
            return isURI(trimmed) ? trimmed : nil
        }
    }

    /// `scheme ":" hier-part`, something behind the colon, and only the octets of RFC 3986.
    private static func isURI(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let scheme = text[..<colon].utf8, rest = text[text.index(after: colon)...].utf8
        guard let first = scheme.first, isAlpha(first), !rest.isEmpty else { return false }
        return scheme.allSatisfy { isAlpha($0) || isDigit($0) || $0 == 43 || $0 == 45 || $0 == 46 }
            && rest.allSatisfy { isAlpha($0) || isDigit($0) || "-._~:/?#[]@!$&'()*+,;=%".utf8.contains($0) }
    }

    private static func isAlpha(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
