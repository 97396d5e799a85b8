/// A LIST pattern (RFC 3501 §6.3.8): `*` matches anything, `%` anything but the hierarchy delimiter.
///
/// Matching costs pattern length times name length at the most, whatever the wildcards.
public struct ListPattern: Sendable, Hashable {
    private let scalars: [Unicode.Scalar]
    private let delimiter: Unicode.Scalar

    /// - Parameter text: reference and pattern joined, in Unicode. A leading `INBOX` in any case counts as upper case.
    public init(_ text: String, delimiter: Unicode.Scalar) {
        var scalars = Array(text.unicodeScalars)
        let head = String(String.UnicodeScalarView(scalars.prefix(5)))
        if ASCII.equal(head, "INBOX"), scalars.count == 5 || scalars[5] == delimiter || scalars[5] == "*" || scalars[5] == "%" {
            scalars.replaceSubrange(0..<5, with: "INBOX".unicodeScalars)
        }
        self.scalars = scalars
        self.delimiter = delimiter
    }

    /// A LIST command's reference and pattern, interpreted as RFC 3501 §6.3.8 suggests: the one before the other.
    public init(reference: String, pattern: String, delimiter: Unicode.Scalar) { self.init(reference + pattern, delimiter: delimiter) }

    public func matches(_ name: MailboxName) -> Bool { reach(name.text, accepting: { $0.last == true }) }

    /// Whether the pattern matches something below this name, so that `%` LSUB answers and parents can be found.
    public func matchesBelow(_ name: MailboxName) -> Bool {
        reach(name.text + String(Character(delimiter)), accepting: { $0.contains(true) })
    }

    /// Runs all ways through the pattern at once; `states[i]`: the first `i` elements can match what was read.
    private func reach(_ text: String, accepting: ([Bool]) -> Bool) -> Bool {
        var states = [Bool](repeating: false, count: scalars.count + 1)
        states[0] = true
        spread(&states)
        for scalar in text.unicodeScalars {
            var next = [Bool](repeating: false, count: states.count)
            for i in scalars.indices where states[i] {
                switch scalars[i] {
                case "*": next[i] = true
                case "%": if scalar != delimiter { next[i] = true }
                default: if scalars[i] == scalar { next[i + 1] = true }
                }
            }
            spread(&next)
            states = next
        }
        return accepting(states)
    }

    /// A wildcard may also match nothing.
    private func spread(_ states: inout [Bool]) {
        for i in scalars.indices where states[i] && (scalars[i] == "*" || scalars[i] == "%") { states[i + 1] = true }
    }
}
