import Foundation

/// Text in the form in which searches compare it: lower case, compatibility-decomposed, so that case and the way an
/// accent is spelt do not matter.
struct FoldedText: Sendable, Hashable {
    let utf8: [UInt8]

    init(_ text: String) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            utf8 = text.utf8.map(ASCII.lower)
        } else {
            utf8 = Array(text.lowercased().decomposedStringWithCompatibilityMapping.utf8)
        }
    }

    /// Whether this text contains the other; the empty text is in every text.
    func contains(_ needle: SearchNeedle) -> Bool { needle.occurs(in: utf8) }
}

/// A text to look for, prepared once: Knuth–Morris–Pratt, since a client chooses the text and may not choose one that
/// makes the search slow.
public struct SearchNeedle: Sendable, Hashable {
    /// Folded, in UTF-8.
    public let pattern: [UInt8]
    /// For each prefix, the length of its longest proper prefix that is also its suffix.
    private let fallback: [Int]

    public init(_ text: String) {
        let pattern = FoldedText(text).utf8
        var fallback = [Int](repeating: 0, count: pattern.count)
        var length = 0
        for i in pattern.indices.dropFirst() {
            while length > 0, pattern[i] != pattern[length] { length = fallback[length - 1] }
            if pattern[i] == pattern[length] { length += 1 }
            fallback[i] = length
        }
        self.pattern = pattern
        self.fallback = fallback
    }

    var isEmpty: Bool { pattern.isEmpty }

    func occurs(in text: [UInt8]) -> Bool {
        guard !pattern.isEmpty else { return true }
        var length = 0
        for byte in text {
            while length > 0, byte != pattern[length] { length = fallback[length - 1] }
            if byte == pattern[length] { length += 1 }
            if length == pattern.count { return true }
        }
        return false
    }
}
