import InternetMessage
import NetworkAddress
import Testing
@testable import SMTPCore

@Suite struct CommandParserTests {
    func parse(_ text: String) -> Result<Command, CommandError> {
        do throws(CommandError) { return .success(try CommandParser.parse(Array(text.utf8))) } catch { return .failure(error) }
    }

    func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    /// RFC 5321 §2.4: verbs in any case; §4.1.1.
    @Test func plainCommands() {
        let expected: [(String, Command)] = [
            ("EHLO mx.example.org", .ehlo("mx.example.org")), ("helo [192.0.2.1]", .helo("[192.0.2.1]")), ("Data", .data), ("RSET ", .rset),
            ("NOOP whatever", .noop), ("QUIT", .quit), ("HELP MAIL", .help), ("VRFY Smith", .vrfy), ("STARTTLS", .startTLS),
            ("BDAT 1000", .bdat(count: 1000, last: false)), ("bdat 0 last", .bdat(count: 0, last: true)),
            ("AUTH plain AGEAYg==", .auth(mechanism: "PLAIN", initialResponse: Array("AGEAYg==".utf8))),
            ("AUTH LOGIN", .auth(mechanism: "LOGIN", initialResponse: nil)),
            ("ETRN example.org", .notImplemented("ETRN")), ("GET / HTTP/1.1", .foreign("GET")), ("FOO", .unknown), ("", .unknown),
        ]
        for (text, command) in expected { #expect(parse(text) == .success(command), "\(text)") }
    }

    @Test(arguments: ["EHLO", "HELO a b", "BDAT", "BDAT -1", "BDAT 5 FIRST", "BDAT 1 LAST 2", "BDAT 9999999999999999999", "MAIL TO:<a@b.example>", "MAIL", "RCPT FROM:<a@b.example>", "AUTH"])
    func wrongSyntax(_ text: String) {
        guard case .failure(.syntax) = parse(text) else { return #expect(Bool(false), "\(parse(text))") }
    }

    @Test(arguments: ["DATA now", "RSET x", "QUIT 1", "STARTTLS x"])
    func noArgumentAllowed(_ text: String) { #expect(parse(text) == .failure(.argumentNotAllowed)) }

    @Test(arguments: ["NOOP \u{1}", "MAIL FROM:<a\rRCPT@b.example>", "EHLO a\u{7f}"])
    func controlCharacters(_ text: String) { #expect(parse(text) == .failure(.badCharacter)) }

    @Test func pathsOfMail() throws {
        #expect(parse("MAIL FROM:<>") == .success(.mail(MailCommand(sender: nil))))
        #expect(parse("mail from: <s@a.example>") == .success(.mail(MailCommand(sender: try address("s@a.example")))))
        #expect(parse("MAIL FROM:<@x.example,@y.example:s@a.example>") == .success(.mail(MailCommand(sender: try address("s@a.example")))))
        #expect(parse("MAIL FROM:<\"a b\"@[IPv6:2001:db8::1]>") == .success(.mail(MailCommand(sender: try address("\"a b\"@[IPv6:2001:db8::1]")))))
        for text in ["MAIL FROM:s@a.example", "MAIL FROM:<s@a.example", "MAIL FROM:<s>", "MAIL FROM:<s@a.example>SIZE=1", "MAIL FROM:<s@@a.example>",
                     "MAIL FROM:<a..b@c.example>", "MAIL FROM:<postmaster>", "MAIL FROM:<\(String(repeating: "x", count: 250))@a.example>"] {
            #expect(parse(text) == .failure(.badSender), "\(text)")
        }
    }

    @Test func pathsOfRecipient() throws {
        #expect(parse("RCPT TO:<r@b.example>") == .success(.rcpt(RecipientCommand(path: .mailbox(try address("r@b.example"))))))
        #expect(parse("RCPT TO:<PostMaster>") == .success(.rcpt(RecipientCommand(path: .postmaster))))
        for text in ["RCPT TO:<>", "RCPT TO:r@b.example", "RCPT TO:<r>", "RCPT TO:<r@b.example> <s@b.example>x"] {
            guard case .failure = parse(text) else { return #expect(Bool(false), "\(text)") }
        }
    }

    /// RFC 1870, 6152, 3461, 4954.
    @Test func parametersOfMail() throws {
        let text = "MAIL FROM:<s@a.example> size=1000 BODY=8bitmime RET=HDRS ENVID=QQ+2B314 AUTH=<>"
        guard case .success(.mail(let command)) = parse(text) else { return #expect(Bool(false)) }
        #expect(command.size == 1000)
        #expect(!command.smtpUTF8)
        #expect(command.parameters == ["SIZE": "1000", "BODY": "8bitmime", "RET": "HDRS", "ENVID": "QQ+2B314", "AUTH": "<>"])
    }

    @Test(arguments: [("SIZE=x", "SIZE"), ("SIZE", "SIZE"), ("SIZE=123456789012345678901", "SIZE"), ("BODY=BINARYMIME", "BODY"), ("SMTPUTF8=1", "SMTPUTF8"),
                      ("RET=SOME", "RET"), ("ENVID=a+2", "ENVID"), ("ENVID=a+2b", "ENVID"), ("SIZE=1 SIZE=2", "SIZE"), ("AUTH=", "AUTH"), ("RET=A=B", "RET")])
    func badParameters(_ text: String, _ keyword: String) {
        #expect(parse("MAIL FROM:<> " + text) == .failure(.badParameter(keyword)))
    }

    @Test func aSizeOfTwentyDigitsIsTooLargeForAnyLimit() {
        guard case .success(.mail(let command)) = parse("MAIL FROM:<> SIZE=99999999999999999999") else { return #expect(Bool(false)) }
        #expect(command.size == .max)
    }

    /// RFC 5321 §4.1.1.11: 555.
    @Test func unknownParameters() {
        #expect(parse("MAIL FROM:<> NOTIFY=NEVER") == .failure(.unknownParameter("NOTIFY")))
        #expect(parse("RCPT TO:<r@b.example> FOO") == .failure(.unknownParameter("FOO")))
        #expect(CommandError.unknownParameter("FOO").reply.code == 555)
    }

    /// RFC 3461 §4.1, §4.2.
    @Test func parametersOfRecipient() {
        for good in ["NOTIFY=NEVER", "NOTIFY=success,FAILURE,delay", "ORCPT=rfc822;a+2Bb@c.example", "NOTIFY=DELAY ORCPT=x400;C+3DUS"] {
            guard case .success = parse("RCPT TO:<r@b.example> " + good) else { return #expect(Bool(false), "\(good)") }
        }
        for bad in ["NOTIFY=NEVER,DELAY", "NOTIFY=", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=X", "ORCPT=a@b.example", "ORCPT=rfc822;", "ORCPT=rfc822;a+zz", "ORCPT=;a"] {
            guard case .failure(.badParameter) = parse("RCPT TO:<r@b.example> " + bad) else { return #expect(Bool(false), "\(bad)") }
        }
    }

    /// RFC 6531 §3.5.
    @Test func nonASCIIPathsNeedSMTPUTF8() throws {
        #expect(parse("MAIL FROM:<josé@a.example>") == .failure(.needsSMTPUTF8))
        #expect(parse("MAIL FROM:<s@bücher.example>") == .failure(.needsSMTPUTF8))
        guard case .success(.mail(let command)) = parse("MAIL FROM:<josé@a.example> SMTPUTF8") else { return #expect(Bool(false)) }
        #expect(command.smtpUTF8 && command.sender?.localPart == "josé")
        guard case .success(.rcpt(let recipient)) = parse("RCPT TO:<josé@a.example>") else { return #expect(Bool(false)) }
        #expect(recipient.needsSMTPUTF8)
        #expect(CommandError.needsSMTPUTF8.reply.enhancedCode == "5.6.7")
    }

    @Test func xtextBothWays() {
        #expect(Xtext.encode("a+b=c d") == "a+2Bb+3Dc+20d")
        #expect(Xtext.decode("a+2Bb+3Dc+20d") == "a+b=c d")
        #expect(Xtext.decode("a b") == nil && Xtext.decode("a+2") == nil && Xtext.decode("+2b") == nil && Xtext.decode("=") == nil)
    }
}
