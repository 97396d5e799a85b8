import InternetMessage
import SMTPCore
import Testing

@Suite struct ClientTransactionTests {
    static let ok = SMTPReply(250, "2.0.0", "queued")

    @Test func oneCommandAtATimeWithoutPipelining() throws {
        var talk = ClientDialogue()
        talk.greet()
        #expect(talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example")) == "MAIL FROM:<alice@example.org>\r\n")
        #expect(talk.server("250 ok") == "RCPT TO:<b@x.example>\r\n")
        #expect(talk.server("550 5.1.1 no b") == "RCPT TO:<c@x.example>\r\n")
        #expect(talk.server("250 ok") == "DATA\r\n")
        #expect(talk.lastDeadline == .seconds(120))
        talk.server("354 go")
        #expect(talk.log.contains(.sendContent(.dots)))
        #expect(talk.lastDeadline == .seconds(180))
        talk.take(talk.session.contentSent())
        #expect(talk.lastDeadline == .seconds(600))
        talk.server("250 2.0.0 queued")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(550, "5.1.1", "no b")), .accepted(Self.ok)])
    }

    @Test func everythingAtOnceWithPipelining() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        let sent = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example", sender: nil))
        #expect(sent == "MAIL FROM:<>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\n")
        talk.server("250 ok", "450 4.2.1 later", "250 ok", "354 go")
        talk.take(talk.session.contentSent())
        talk.server("250 2.0.0 queued")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(450, "4.2.1", "later")), .accepted(Self.ok)])
    }

    @Test func pipelinedDataThatIsTakenForNobodyGetsAnEmptyMessage() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        // RFC 2920 §3.1
        #expect(talk.server("250 ok", "550 5.1.1 no", "354 go") == ".\r\n")
        #expect(!talk.log.contains(.sendContent(.dots)))
        talk.server("554 no recipients")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(550, "5.1.1", "no"))])
        #expect(talk.begin(try ClientDialogue.transaction("c@x.example")).hasPrefix("MAIL"))
    }

    @Test func aRefusedSenderDecidesForAllWhateverFollows() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example"))
        talk.server("550 5.7.1 not you", "503 no MAIL", "503 no MAIL", "503 no MAIL")
        let refusal = RecipientOutcome.refused(SMTPReply(550, "5.7.1", "not you"))
        #expect(talk.report?.outcomes == [refusal, refusal])
    }

    @Test func aTransactionThatStoppedBeforeDataIsReset() throws {
        var talk = ClientDialogue()
        talk.greet()
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        talk.server("250 ok")
        #expect(talk.server("550 5.1.1 no") == "")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(550, "5.1.1", "no"))])
        #expect(talk.begin(try ClientDialogue.transaction("c@x.example")) == "RSET\r\n")
        #expect(talk.server("250 ok") == "MAIL FROM:<alice@example.org>\r\n")
    }

    @Test func theContentsRefusalIsEachAcceptedRecipients() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example"))
        talk.server("250 ok", "250 ok", "550 5.1.1 no", "354 go")
        talk.take(talk.session.contentSent())
        talk.server("554 5.7.1 spam")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(554, "5.7.1", "spam")), .refused(SMTPReply(550, "5.1.1", "no"))])
    }

    @Test func tooManyRecipientsAsOldServersSayIsTemporary() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example"))
        talk.server("250 ok", "250 ok", "552 too many", "354 go")
        talk.take(talk.session.contentSent())
        talk.server("250 2.0.0 queued")
        #expect(talk.report?.outcomes == [.accepted(Self.ok), .refused(SMTPReply(452, "4.5.3", "too many"))])
    }

    @Test func parametersGoOnlyWhereOffered() throws {
        var transaction = try ClientDialogue.transaction("b@x.example")
        transaction.returnContent = "HDRS"
        transaction.envelopeID = "QQ314159"
        transaction.bodyIs8Bit = true
        transaction.recipients[0].notify = "SUCCESS,FAILURE"
        transaction.recipients[0].originalRecipient = "rfc822;b@x.example"
        var full = ClientDialogue()
        full.greet("PIPELINING", "SIZE", "8BITMIME", "DSN")
        #expect(full.begin(transaction) == "MAIL FROM:<alice@example.org> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=QQ314159\r\n"
            + "RCPT TO:<b@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x.example\r\nDATA\r\n")
        transaction.bodyIs8Bit = false
        var bare = ClientDialogue()
        bare.greet("PIPELINING")
        #expect(bare.begin(transaction) == "MAIL FROM:<alice@example.org>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
    }

    @Test func whatTheServerCannotTakeIsNotAsked() throws {
        var eightBit = try ClientDialogue.transaction("b@x.example")
        eightBit.bodyIs8Bit = true
        try expectImpossible(eightBit, "5.6.3", offered: ["SMTPUTF8"])
        var international = try ClientDialogue.transaction("b@x.example")
        international.smtpUTF8 = true
        international.headerIs8Bit = true
        try expectImpossible(international, "5.6.7", offered: ["8BITMIME"])
        try expectImpossible(ClientDialogue.transaction("b@x.example", sender: "b\u{fc}cher@example.org"), "5.6.7", offered: ["8BITMIME"])
        try expectImpossible(ClientDialogue.transaction("b@x.example", size: 1001), "5.3.4", offered: ["SIZE 1000"])
        var tls = try ClientDialogue.transaction("b@x.example")
        tls.requireTLS = true
        try expectImpossible(tls, "5.7.30", offered: ["REQUIRETLS"])
        let domain = try #require(EmailAddress("x@x.example")).domain
        let inject = ClientTransaction(sender: nil, recipients: [ClientRecipient(EmailAddress(localPart: "a\r\nRCPT TO:<b", domain: domain))], byteCount: 1)
        try expectImpossible(inject, "5.1.3", offered: [])
    }

    private func expectImpossible(_ transaction: ClientTransaction, _ status: String, offered: [String]) throws {
        var talk = ClientDialogue()
        talk.server("220 mx")
        talk.server((["mx"] + offered).dropLast().map { "250-" + $0 + "\r\n" }.joined() + "250 " + (offered.last ?? "mx"))
        #expect(talk.begin(transaction) == "")
        guard case .impossible(let found, _) = talk.report?.outcomes.first else { Issue.record("\(String(describing: talk.report))"); return }
        #expect(found == status)
    }

    @Test func onlyTheInternationalRecipientSuffersWhereSMTPUTF8IsMissing() throws {
        var talk = ClientDialogue()
        talk.greet("8BITMIME")
        #expect(talk.begin(try ClientDialogue.transaction("b\u{fc}cher@x.example", "c@x.example")) == "MAIL FROM:<alice@example.org>\r\n")
        #expect(talk.server("250 ok") == "RCPT TO:<c@x.example>\r\n")
    }

    @Test func smtpUTF8IsDeclaredWhereNeededOnly() throws {
        var needed = ClientDialogue()
        needed.greet("SMTPUTF8", "8BITMIME")
        #expect(needed.begin(try ClientDialogue.transaction("b\u{fc}cher@x.example")) == "MAIL FROM:<alice@example.org> SMTPUTF8\r\n")
        var plain = try ClientDialogue.transaction("b@x.example")
        plain.smtpUTF8 = true
        var unneeded = ClientDialogue()
        unneeded.greet("SMTPUTF8", "8BITMIME")
        #expect(unneeded.begin(plain) == "MAIL FROM:<alice@example.org>\r\n")
    }

    @Test func aLossAfterTheFinalDotIsToldApart() throws {
        for sent in [false, true] {
            var talk = ClientDialogue()
            talk.greet("PIPELINING")
            _ = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example"))
            talk.server("250 ok", "550 5.1.1 no", "250 ok", "354 go")
            if sent { talk.take(talk.session.contentSent()) }
            talk.take(talk.session.connectionClosed())
            let report = try #require(talk.report)
            #expect(report.contentWasSent == sent)
            #expect(report.outcomes[0] == .refused(SMTPReply(550, "5.1.1", "no")))
            guard case .lost(.connectionLost) = report.outcomes[1] else { Issue.record("\(report)"); return }
        }
    }

    @Test func aServerThatShutsDownSaysSoToAllUndecided() throws {
        var talk = ClientDialogue()
        talk.greet()
        _ = talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example"))
        talk.server("250 ok")
        talk.server("250 ok")
        talk.server("421 4.3.2 closing")
        let lost = RecipientOutcome.lost(.shuttingDown(SMTPReply(421, "4.3.2", "closing")))
        #expect(talk.report?.outcomes == [lost, lost])
        #expect(talk.log.last == .close)
    }

    @Test func aVerdictBeforeTheEndOfTheContentEndsTheSession() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        talk.server("250 ok", "250 ok", "354 go")
        talk.server("552 5.3.4 too much")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(552, "5.3.4", "too much"))])
        #expect(talk.log.last == .close)
    }

    /// RFC 5321 §4.5.4.1: what was taken must not be sent again, whatever else the server says in the same packet.
    @Test(arguments: ["rubbish", "250 one more", "99 x"]) func whatFollowsTheLastReplyInOnePacketTakesNothingBack(rubbish: String) throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        talk.server("250 ok", "250 ok", "354 go")
        talk.take(talk.session.contentSent())
        talk.server("250 2.0.0 taken", rubbish)
        #expect(talk.report?.outcomes == [.accepted(SMTPReply(250, "2.0.0", "taken"))])
        #expect(talk.log.last == .close)
    }

    @Test func aReplyToNothingIsAProtocolError() throws {
        var talk = ClientDialogue()
        talk.greet()
        talk.server("250 what for")
        guard case .protocolError = talk.failure else { Issue.record("\(String(describing: talk.failure))"); return }
    }
}
