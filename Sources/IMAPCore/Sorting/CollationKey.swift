import Foundation

/// Text in the form in which SORT compares it: i;unicode-casemap (RFC 5051 §2), which RFC 5256 §3 asks for. Title case,
/// then compatibility decomposition, then octet by octet.
struct CollationKey: Sendable, Hashable, Comparable {
    let utf8: [UInt8]

    init(_ text: String) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            utf8 = text.utf8.map { $0 >= 97 && $0 <= 122 ? $0 & 0xdf : $0 }
            return
        }
        var titled = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties.titlecaseMapping.unicodeScalars
            // The collation knows one-to-one mappings only: ß stays what it is.
            titled.append(mapped.count == 1 ? mapped.first ?? scalar : scalar)
        }
        utf8 = Array(String(titled).decomposedStringWithCompatibilityMapping.utf8)
    }

    static func < (a: CollationKey, b: CollationKey) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
