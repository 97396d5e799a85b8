import InternetMessage
import SMTPCore
import Testing

/// CHUNKING (RFC 3030) and LMTP (RFC 2033), as a client speaks them.
@Suite struct ClientFormTests {
    @Test func chunksNeedNoDATA() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING", "CHUNKING")
        #expect(talk.begin(try ClientDialogue.transaction("b@x.example", "c@x.example")) == "MAIL FROM:<alice@example.org>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<c@x.example>\r\n")
        talk.server("250 ok", "550 5.1.1 no", "250 ok")
        #expect(talk.log.contains(.sendContent(.chunks)))
        talk.take(talk.session.chunkSent())
        talk.take(talk.session.contentSent())
        talk.server("250 first")
        #expect(talk.report == nil)
        talk.server("250 2.0.0 taken")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(550, "5.1.1", "no")), .accepted(SMTPReply(250, "2.0.0", "taken"))])
        #expect(talk.begin(try ClientDialogue.transaction("b@x.example")).hasPrefix("MAIL"))
    }

    @Test func nobodyLeftMeansNoChunk() throws {
        var talk = ClientDialogue()
        talk.greet("PIPELINING", "CHUNKING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        talk.server("250 ok", "550 5.1.1 no")
        #expect(!talk.log.contains(.sendContent(.chunks)))
        #expect(talk.begin(try ClientDialogue.transaction("b@x.example")).hasPrefix("RSET"))
    }

    @Test func aRefusedChunkDecides() throws {
        var talk = ClientDialogue()
        talk.greet("CHUNKING")
        _ = talk.begin(try ClientDialogue.transaction("b@x.example"))
        talk.server("250 ok")
        talk.server("250 ok")
        talk.take(talk.session.chunkSent())
        talk.server("552 5.3.4 too much")
        #expect(talk.report?.outcomes == [.refused(SMTPReply(552, "5.3.4", "too much"))])
        var last = ClientDialogue()
        last.greet("CHUNKING", "PIPELINING")
        _ = last.begin(try ClientDialogue.transaction("b@x.example"))
        last.server("250 ok", "250 ok")
        last.take(last.session.contentSent())
        last.server("554 5.7.1 no")
        #expect(last.report?.outcomes == [.refused(SMTPReply(554, "5.7.1", "no"))])
        // RFC 3030 §2: the state after a refused chunk is not known.
        #expect(last.begin(try ClientDialogue.transaction("b@x.example")).hasPrefix("RSET"))
    }

    @Test func chunksHaveTheirLengthAndDotsStay() {
        var encoder = ContentEncoder(.chunks)
        #expect(String(decoding: encoder.encode(Array("a\r\n.b\n".utf8), isLast: false), as: UTF8.self) == "BDAT 7\r\na\r\n.b\r\n")
        #expect(String(decoding: encoder.encode(Array("end".utf8), isLast: true), as: UTF8.self) == "BDAT 5 LAST\r\nend\r\n")
    }

    @Test func lmtpAnswersForEachRecipient() throws {
        var configuration = SMTPClientSession.Configuration(heloName: "client.example", tls: .never)
        configuration.speaksLMTP = true
        var talk = ClientDialogue()
        talk.session = SMTPClientSession(configuration)
        talk.log = talk.session.connected()
        #expect(talk.server("220 store LMTP") == "LHLO client.example\r\n")
        talk.server("250-store", "250-CHUNKING", "250 PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("a@x.example", "b@x.example", "c@x.example"))
        talk.server("250 ok", "250 ok", "550 5.1.1 no", "250 ok", "354 go")
        #expect(talk.log.contains(.sendContent(.dots)))
        talk.take(talk.session.contentSent())
        talk.server("250 2.1.5 stored")
        #expect(talk.report == nil)
        talk.server("452 4.2.2 full")
        #expect(talk.report?.outcomes == [.accepted(SMTPReply(250, "2.1.5", "stored")), .refused(SMTPReply(550, "5.1.1", "no")), .refused(SMTPReply(452, "4.2.2", "full"))])
    }

    @Test func anLMTPServerThatBreaksOffOwesTheRest() throws {
        var configuration = SMTPClientSession.Configuration(heloName: "client.example", tls: .never)
        configuration.speaksLMTP = true
        var talk = ClientDialogue()
        talk.session = SMTPClientSession(configuration)
        talk.log = talk.session.connected()
        talk.greet("PIPELINING")
        _ = talk.begin(try ClientDialogue.transaction("a@x.example", "b@x.example"))
        talk.server("250 ok", "250 ok", "250 ok", "354 go")
        talk.take(talk.session.contentSent())
        talk.server("250 2.1.5 stored")
        talk.take(talk.session.connectionClosed())
        #expect(talk.report?.outcomes == [.accepted(SMTPReply(250, "2.1.5", "stored")), .lost(.connectionLost(at: "the reply to the end of data"))])
        #expect(talk.report?.contentWasSent == true)
    }
}
