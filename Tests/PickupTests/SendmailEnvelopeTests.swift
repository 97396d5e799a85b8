import InternetMessage
import NetworkAddress
import Pickup
import Testing

@Suite struct SendmailEnvelopeTests {
    private let maker = SendmailEnvelope(origin: DomainName("mail.example.org")!, userName: "www-data")

    private func envelope(_ words: [String], _ message: String = "") throws -> DropEnvelope {
        try maker.envelope(SendmailArguments(words), header: MessageHeader.parse(Array(message.replacing("\n", with: "\r\n").utf8)[...]).header)
    }

    private func recipients(_ words: [String], _ message: String = "") throws -> [String] { try envelope(words, message).recipients.map(\.address.description) }

    @Test func bareNamesGetTheOrigin() throws {
        let made = try envelope(["root"])
        #expect(try recipients(["root (Charlie Root), <daemon>"]) == ["root@mail.example.org", "daemon@mail.example.org"])
        #expect(made.sender?.description == "www-data@mail.example.org")
        #expect(made.recipients.map(\.address.description) == ["root@mail.example.org"])
    }

    @Test func recipientsOfTheHeader() throws {
        let message = "To: A <a@x.example>, b@x.example\nCc: Team: c@x.example;\nBcc: d@x.example\nReply-To: no@x.example\n\nTo: never@x.example\n"
        #expect(try recipients(["-t"], message) == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"])
        // Those of the command line beside them, and each once.
        #expect(try recipients(["-t", "z@x.example", "a@x.example"], message).sorted() == ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "z@x.example"])
    }

    @Test func recipientsOfAResentMessage() throws {
        #expect(try recipients(["-t"], "Resent-To: r@x.example\nResent-From: me@x.example\nTo: first@x.example\n\n") == ["r@x.example"])
    }

    @Test func severalInOneWord() throws { #expect(try recipients(["a@x.example, b@x.example"]) == ["a@x.example", "b@x.example"]) }

    @Test(arguments: ["", "<>"]) func theNullSender(_ word: String) throws { #expect(try envelope(["-f", word, "a@x.example"]).sender == nil) }

    @Test func parameters() throws {
        let made = try envelope(["-N", "failure,success", "-R", "full", "-V", "a+b", "-B", "8bitmime", "a@x.example"])
        #expect(made.senderParameters == ["RET": "FULL", "ENVID": "a+2Bb", "BODY": "8BITMIME"])
        #expect(made.recipients.map(\.parameters) == [["NOTIFY": "FAILURE,SUCCESS"]])
    }

    @Test func nobodyToSendTo() {
        #expect(throws: SendmailEnvelope.Failure.noRecipients(isFromHeader: false)) { try envelope([]) }
        #expect(throws: SendmailEnvelope.Failure.noRecipients(isFromHeader: true)) { try envelope(["-t"], "Subject: x\n\n") }
        #expect(throws: SendmailEnvelope.Failure.noRecipients(isFromHeader: true)) { try envelope(["-t"], "To: undisclosed-recipients:;\n\n") }
    }

    /// Nothing that a line end in an address could bring reaches the envelope.
    @Test(arguments: ["a@x.example\r\nRCPT TO:<b@x.example>", "a@x..example", "a b@x.example", "a@x.example>", "<a@x.example", "|/bin/sh", "a b", "<>", "a, b c"])
    func noAddress(_ word: String) throws {
        guard let made = try? envelope([word]) else { return }
        #expect(made.recipients.map(\.address.description) == ["|/bin/sh@mail.example.org"])
    }
}
