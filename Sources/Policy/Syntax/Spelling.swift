/// Finds what a misspelt word was probably meant to be.
public enum Spelling {
    /// The candidate with the smallest edit distance, when that is at most a third of the word's length and at most 3.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = min(max(word.count / 3, 1), 3)
        return candidates.map { (distance(word.lowercased(), $0.lowercased()), $0) }.filter { $0.0 <= limit }.min { $0 < $1 }?.1
    }

    /// Levenshtein distance over at most 64 octets, a transposition of neighbours counted as one edit.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(64)), b = Array(b.utf8.prefix(64))
        var beforeLast: [Int] = [], last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
