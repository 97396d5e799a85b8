import InternetMessage
import Milter
import Testing
@testable import PosternDaemon

@Suite struct HintHandoverTests {
    private func transaction(folder: String) -> Transaction {
        var out = Transaction(id: "x", connection: ConnectionFacts(listener: "milter"))
        out.deliveryHints.folder = folder
        return out
    }

    private func message(_ queueID: String) -> Message {
        Message(parsing: Array("""
            Received: from mx.example.org (local)\r
            \tby mx.example.org (Postern) with LMTP id OURS;\r
            \tMon, 23 Nov 2026 10:00:00 +0000\r
            Received: from a.example (unknown [192.0.2.1])\r
            \t(using TLSv1.3 with cipher X (256/256 bits))\r
            \tby mx.example.org (Postfix) with ESMTPS id \(queueID)\r
            \tfor <r@example.org>; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)\r
            \r

            """.utf8))
    }

    @Test func wishesComeBackUnderTheQueueID() {
        let handover = HintHandover()
        handover.note("4XyZ", transaction(folder: "Junk"))
        #expect(handover.hints(for: message("4XyZ"))?.folder == "Junk")
        #expect(handover.hints(for: message("4XyZ"))?.folder == "Junk", "for the next recipient too")
        #expect(handover.hints(for: message("OTHER")) == nil)
    }

    @Test func ourOwnFieldIsNotLookedAt() {
        let handover = HintHandover()
        handover.note("OURS", transaction(folder: "Junk"))
        #expect(handover.hints(for: message("4XyZ")) == nil)
    }

    @Test func theOldestGoFirst() {
        let handover = HintHandover(capacity: 3)
        for number in 0..<20 { handover.note("Q\(number)", transaction(folder: "F\(number)")) }
        #expect(handover.hints(for: message("Q16")) == nil)
        for number in 17..<20 { #expect(handover.hints(for: message("Q\(number)"))?.folder == "F\(number)") }
    }

    @Test(arguments: [
        ("from a (b [192.0.2.1])\tby c (Postfix) with ESMTP id 4X; date", "4X"),
        ("by c (Postfix, from userid 0)\tid 5F9D0; date", "5F9D0"),
        ("from id id (x) by c with LMTP id 6A\tfor <\"id 7\"@c>; date", "6A"),
        ("from a by c; date", nil), ("id", nil), ("", nil), ("x with y id", nil),
    ] as [(String, String?)])
    func queueIDs(_ value: String, _ id: String?) {
        #expect(HintHandover.queueID(in: value) == id)
    }

    @Test func keywordsAreFoundUnderTheAddressBeforeAliases() throws {
        let said = try #require(EmailAddress("alice+shop@example.org")), address = try #require(EmailAddress("alice@example.org"))
        var earlier = DeliveryHints()
        earlier.recipientKeywords[said] = ["$Leaked"]
        var hints = DeliveryHints()
        hints.add(earlier, for: [EnvelopeRecipient(address, original: said)])
        #expect(hints.recipientKeywords == [address: ["$Leaked"]])
    }
}
