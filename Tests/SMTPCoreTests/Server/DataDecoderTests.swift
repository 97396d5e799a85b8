import Testing
@testable import SMTPCore

@Suite struct DataDecoderTests {
    struct Outcome: Equatable {
        var content = ""
        var ended = false
        var defect: LineDefect?
        var rest = ""
    }

    /// Decodes text given `step` octets at a time, giving again what was not consumed.
    func decode(_ text: String, step: Int = .max) -> Outcome {
        var decoder = DataDecoder()
        var out = Outcome()
        var waiting: [UInt8] = []
        var coming = Array(text.utf8)[...]
        var content: [UInt8] = []
        while !out.ended, !coming.isEmpty {
            waiting += coming.prefix(step)
            coming = coming.dropFirst(step)
            let result = waiting.withUnsafeBytes { decoder.decode($0) }
            for range in result.content { content += waiting[range] }
            waiting.removeFirst(result.consumed)
            out.ended = result.ended
            #expect(result.ended || waiting.count <= 2)
        }
        out.content = String(decoding: content, as: UTF8.self)
        out.defect = decoder.defect
        out.rest = String(decoding: waiting + coming, as: UTF8.self)
        return out
    }

    static let cases: [(String, Outcome)] = [
        (".\r\nQUIT\r\n", Outcome(content: "", ended: true, rest: "QUIT\r\n")),
        ("a\r\n.\r\n", Outcome(content: "a\r\n", ended: true)),
        ("..\r\n.a\r\n...\r\n.\r\nx", Outcome(content: ".\r\na\r\n..\r\n", ended: true, rest: "x")),
        ("a.\r\n.\r\n", Outcome(content: "a.\r\n", ended: true)),
        ("\r\n\r\n.\r\n", Outcome(content: "\r\n\r\n", ended: true)),
        // What ends no message (RFC 5321 §4.1.1.4), though some servers take it for an end.
        ("a\n.\nMAIL\r\n.\r\n", Outcome(content: "a\n.\nMAIL\r\n", ended: true, defect: .bareLF)),
        ("a\n.\r\nMAIL\r\n.\r\n", Outcome(content: "a\n.\r\nMAIL\r\n", ended: true, defect: .bareLF)),
        ("a\r\n.\nMAIL\r\n.\r\n", Outcome(content: "a\r\n\nMAIL\r\n", ended: true, defect: .bareLF)),
        ("a\r.\rMAIL\r\n.\r\n", Outcome(content: "a\r.\rMAIL\r\n", ended: true, defect: .bareCR)),
        ("a\r\n.\rMAIL\r\n.\r\n", Outcome(content: "a\r\n\rMAIL\r\n", ended: true, defect: .bareCR)),
        ("a\r.\r\nMAIL\r\n.\r\n", Outcome(content: "a\r.\r\nMAIL\r\n", ended: true, defect: .bareCR)),
        ("a\r\r\n.\r\n", Outcome(content: "a\r\r\n", ended: true, defect: .bareCR)),
        ("a\r\n\n.\r\n\r\n.\r\n", Outcome(content: "a\r\n\n.\r\n\r\n", ended: true, defect: .bareLF)),
        ("a\0\r\n.\0\r\n.\r\n", Outcome(content: "a\0\r\n\0\r\n", ended: true)),
    ]

    @Test(arguments: 0..<14) func endsAndDots(_ index: Int) {
        let (text, outcome) = Self.cases[index]
        #expect(decode(text) == outcome)
    }

    @Test(arguments: 0..<14, [1, 2, 3]) func howeverItIsCut(_ index: Int, _ step: Int) {
        let (text, outcome) = Self.cases[index]
        var got = decode(text, step: step)
        got.rest = outcome.rest
        #expect(got == outcome)
    }

    @Test func aRunOfLinesIsOneRange() {
        let text = Array((String(repeating: "line\r\n", count: 1000) + "..dot\r\n" + String(repeating: "line\r\n", count: 10)).utf8)
        var decoder = DataDecoder()
        let step = text.withUnsafeBytes { decoder.decode($0) }
        #expect(step.content == [0..<6000, 6001..<6067])
    }

    @Test func linesOfAnyLength() {
        let long = String(repeating: "x", count: 100_000) + "\r\n"
        #expect(decode(long + ".\r\n", step: 4096) == Outcome(content: long, ended: true))
    }

    @Test func lineEndsThroughChunks() {
        func check(_ chunks: [String]) -> LineDefect? {
            var check = LineEndCheck()
            for chunk in chunks { Array(chunk.utf8).withUnsafeBytes { check.take($0) } }
            check.finish()
            return check.defect
        }
        #expect(check(["a\r\nb", "c\r", "\nd\r\n"]) == nil)
        #expect(check(["\r", "\n", "\r", "\n"]) == nil)
        #expect(check(["no end"]) == nil)
        #expect(check(["a\n"]) == .bareLF)
        #expect(check(["a", "\nb"]) == .bareLF)
        #expect(check(["a\r", "b"]) == .bareCR)
        #expect(check(["a\r"]) == .bareCR)
        #expect(check(["a\rb\r\n"]) == .bareCR)
    }
}
