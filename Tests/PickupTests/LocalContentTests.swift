import Pickup
import Testing

@Suite struct LocalContentTests {
    private func content(_ text: String, ignoresDots: Bool = true, limit: Int = 1000, piece: Int = .max) -> LocalContent {
        var content = LocalContent(ignoresDots: ignoresDots, limit: limit)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            content.take(rest.prefix(piece))
            rest = rest.dropFirst(min(piece, rest.count))
        }
        content.finish()
        return content
    }

    private func text(_ text: String, ignoresDots: Bool = true, piece: Int = .max) -> String {
        String(decoding: content(text, ignoresDots: ignoresDots, piece: piece).bytes, as: UTF8.self)
    }

    @Test(arguments: [1, 2, 7, Int.max]) func lineEnds(_ piece: Int) {
        #expect(text("a: b\n\nx\r\ny", piece: piece) == "a: b\r\n\r\nx\r\ny\r\n")
        // No other server may see an end of the message where we see none.
        #expect(text("x\r.\ry\n", piece: piece) == "x . y\r\n")
    }

    @Test func aDotEndsTheMessageUnlessIgnored() {
        #expect(text("a\n.\nb\n", ignoresDots: false) == "a\r\n")
        #expect(text("a\n.\nb\n") == "a\r\n.\r\nb\r\n")
        #expect(text("a\n..\n", ignoresDots: false) == "a\r\n..\r\n")
    }

    @Test func theLineOfAMailboxFileIsDropped() {
        #expect(text("From me Mon Jan 1\n>From you\nTo: x\n\nFrom here\n") == "To: x\r\n\r\nFrom here\r\n")
    }

    @Test func theLimit() {
        #expect(!content("12345678\n", limit: 10).isTooLarge)
        #expect(content("123456789\n", limit: 10).isTooLarge)
        // Without a line end, too.
        #expect(content(String(repeating: "x", count: 11), limit: 10, piece: 3).isTooLarge)
    }
}
