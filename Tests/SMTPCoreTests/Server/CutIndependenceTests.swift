import InternetMessage
import Testing
@testable import SMTPCore

/// However the octets are cut by the network, the conversation is the same: random conversations of valid, odd and broken
/// pieces, said at once and in random cuts.
@Suite struct CutIndependenceTests {
    /// Numerical Recipes' generator: the same numbers in each run.
    struct Dice {
        var state: UInt64
        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % sides
        }
    }

    static let pieces = [
        "EHLO a.example\r\n", "HELO a\r\n", "MAIL FROM:<s@a.example>\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<r@home.example>\r\n", "RCPT TO:<r@home.example>\r\n",
        "DATA\r\n", "DATA\r\nhello\r\n..\r\n.\r\n", "Subject: x\r\n", "\r\n.\r\n", ".\r\n", "BDAT 4\r\n", "BDAT 6 LAST\r\n", "abc\r\n", "RSET\r\n", "NOOP\r\n",
        "VRFY x\r\n", "AUTH PLAIN\r\n", "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "*\r\n", "\r", "\n", "\0", "é", "x", " ", "MAIL FROM:<a@b> SIZE=\r\n",
        String(repeating: "long", count: 600), "\r\n", "\r\n", "\r\n",
    ]

    func run(_ bytes: [UInt8], _ cuts: [Int]) -> (said: String, fixture: ServerFixture) {
        var fixture = ServerFixture(isTLS: true) { $0.offersAuthentication = true; $0.messageSizeLimit = 3000; $0.errorLimit = 12 }
        var said = ""
        var rest = bytes[...]
        var next = 0
        while !rest.isEmpty {
            let count = cuts.isEmpty ? rest.count : cuts[next % cuts.count]
            said += fixture.send(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
            next += 1
        }
        return (said, fixture)
    }

    @Test(arguments: 1...60) func sameInAnyCut(_ seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var bytes = Array("EHLO a\r\n".utf8)
        for _ in 0..<80 { bytes += Array(Self.pieces[dice.roll(Self.pieces.count)].utf8) }
        let whole = run(bytes, [])
        for cuts in [[1], [2, 1, 3], (0..<17).map { _ in 1 + dice.roll(40) }] {
            let cut = run(bytes, cuts)
            #expect(cut.said == whole.said)
            #expect(cut.fixture.content == whole.fixture.content)
            #expect(cut.fixture.questions == whole.fixture.questions)
            #expect(cut.fixture.isClosed == whole.fixture.isClosed)
        }
    }
}
