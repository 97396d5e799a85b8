import DKIM
import DMARC
import DNS
import Foundation
import IMAPCore
import InternetMessage
import NetworkAddress
import SMTPCore
import SPF

/// What is measured, and on what.
struct Ground {
    struct Failure: Error { let text: String }

    let small: [UInt8]
    let large: [UInt8]
    let nested: [UInt8]
    private let client: IPAddress
    private let signer = DKIMSigner()
    private let rsa: SigningKey
    private let ed25519: SigningKey

    init() throws {
        small = Self.message(octets: 3_500)
        large = Self.message(octets: 100_000)
        nested = Self.multipart(depth: 4, leaf: 1_000)
        guard let client = IPAddress("192.0.2.10"), let domain = DomainName("sender.example") else { throw Failure(text: "address") }
        self.client = client
        rsa = try SigningKey(pem: SigningKey.generate(.rsa2048), domain: domain, selector: "rsa")
        ed25519 = try SigningKey(pem: SigningKey.generate(.ed25519), domain: domain, selector: "ed")
    }

    var parsers: [(String, () throws -> Void)] {
        let conversation = Array("EHLO mail.sender.example\r\nMAIL FROM:<alice@sender.example> SIZE=4000 BODY=8BITMIME\r\nRCPT TO:<bob@rcpt.example>\r\nDATA\r\n".utf8)
            + small + Array(".\r\nQUIT\r\n".utf8)
        let addresses = Array("\"Smith, Alice\" <alice@sender.example>, Team: bob@rcpt.example, carol+x@rcpt.example;, =?utf-8?q?J=C3=B6rg?= <joerg@rcpt.example>".utf8)
        let results = Array("mx.rcpt.example; spf=pass smtp.mailfrom=sender.example; dkim=pass header.d=sender.example header.s=sel header.b=abcdefgh; dmarc=pass header.from=sender.example".utf8)
        let fetch = Array("a1 UID FETCH 1:*,5,7:9 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)] BODYSTRUCTURE)\r\n".utf8)
        let record = Array("v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; rua=mailto:d@sender.example".utf8)
        return [
            ("header of a 4 kB message", { [small] in _ = MessageHeader.parse(small[...]) }),
            ("MIME structure, 4 kB", { [small] in _ = MIMEStructure.parse(small) }),
            ("MIME structure, 100 kB", { [large] in _ = MIMEStructure.parse(large) }),
            ("MIME structure, 15 parts", { [nested] in _ = MIMEStructure.parse(nested) }),
            ("address list of 4", { _ = AddressList.parse(addresses) }),
            ("address", { _ = EmailAddress("alice+shop@sender.example") }),
            ("Authentication-Results", { _ = AuthenticationResults(parsing: results) }),
            ("DMARC record", { _ = DMARCRecord(record) }),
            ("IMAP command", { _ = try IMAPCore.CommandParser.parse(fetch) }),
            ("SMTP conversation, 4 kB", { try Self.converse(conversation) }),
            ("DKIM sign, RSA-2048, 4 kB", { [self] in _ = try signer.sign(Message(parsing: small), with: [rsa], at: Date()) }),
            ("DKIM sign, Ed25519, 4 kB", { [self] in _ = try signer.sign(Message(parsing: small), with: [ed25519], at: Date()) }),
        ]
    }

    func checks() throws -> [(String, @Sendable () async throws -> Void)] {
        let dns = CachingResolver(try ZoneResolver("""
            sender.example. TXT "v=spf1 include:a.example include:b.example mx -all"
            a.example. TXT "v=spf1 ip4:198.51.100.0/24 -all"
            b.example. TXT "v=spf1 ip6:2001:db8::/32 a:mail.b.example -all"
            mail.b.example. A 198.51.100.1
            sender.example. MX 10 mail.sender.example.
            mail.sender.example. A 192.0.2.10
            _dmarc.sender.example. TXT "v=DMARC1; p=reject"
            rsa._domainkey.sender.example. TXT "\(Self.split(rsa.publicRecord))"
            ed._domainkey.sender.example. TXT "\(ed25519.publicRecord)"
            """))
        let spf = SPFEvaluator(resolver: dns, receiverName: "mx.rcpt.example")
        let dmarc = DMARCEvaluator(resolver: dns)
        let verifier = try DKIMVerifier(resolver: dns)
        guard let sender = EmailAddress("alice@sender.example"), let domain = DomainName("sender.example") else { throw Failure(text: "address") }
        let from = Message(parsing: small).header.all("From")
        let (client, signed) = (client, try [("RSA-2048, 4 kB", sign(small, rsa)), ("RSA-2048, 100 kB", sign(large, rsa)), ("Ed25519, 4 kB", sign(small, ed25519))])
        let plain: [(String, @Sendable () async throws -> Void)] = [
            ("SPF, 5 terms with look-ups", { try Self.demand(await spf.check(client: client, helo: "mail.sender.example", sender: sender).verdict == .pass, "SPF") }),
            ("DMARC evaluation", { try Self.demand(await dmarc.evaluate(fromFields: from, spf: domain, dkim: [domain]).verdict == .pass, "DMARC") }),
        ]
        return plain + signed.map { name, message in
            ("DKIM verify, \(name)", { @Sendable in try Self.demand(await verifier.verify(message).first?.verdict == .pass, "DKIM") })
        }
    }

    /// What is measured must have worked.
    private static func demand(_ holds: Bool, _ what: String) throws {
        guard holds else { throw Failure(text: "\(what) did not pass") }
    }

    private func sign(_ octets: [UInt8], _ key: SigningKey) throws -> Message {
        var message = Message(parsing: octets)
        message.header = MessageHeader(try signer.sign(message, with: [key], at: Date()) + message.header.fields)
        return message
    }

    /// The whole conversation in one piece, as a pipelining client sends it.
    private static func converse(_ octets: [UInt8]) throws {
        var machine = ServerStateMachine(settings: ServerSettings(hostname: "mx.rcpt.example"))
        var actions = machine.start(), position = 0, messages = 0
        while true {
            while let question = actions.lazy.compactMap({ if case .ask(let question) = $0 { question } else { nil } }).first {
                if case .message = question { messages += 1 }
                actions = machine.answer(question == .message ? .reply(SMTPReply(250, "2.0.0", "Ok")) : .yes)
            }
            let step = octets[position...].withUnsafeBytes { machine.take($0) }
            guard step.consumed > 0 || !step.actions.isEmpty else { break }
            position += step.consumed
            actions = step.actions
        }
        try demand(messages == 1 && position == octets.count, "the conversation")
    }

    // MARK: Messages

    private static let header = """
        Received: from mail.sender.example (mail.sender.example [192.0.2.10]) by mx.rcpt.example with ESMTPS id 4F1; Mon, 23 Nov 2026 10:00:00 +0000\r
        From: Alice <alice@sender.example>\r
        To: Bob <bob@rcpt.example>\r
        Subject: =?utf-8?q?quarterly_figures_f=C3=BCr_alle?=\r
        Date: Mon, 23 Nov 2026 10:00:00 +0000\r
        Message-ID: <1.2.3@sender.example>\r
        MIME-Version: 1.0\r

        """

    private static func message(octets: Int) -> [UInt8] {
        let line = "The figures of this quarter are those of the last, and nobody wonders.\r\n"
        return Array((header + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + String(repeating: line, count: octets / line.utf8.count)).utf8)
    }

    /// A tree of multiparts, two in each.
    private static func multipart(depth: Int, leaf: Int) -> [UInt8] {
        func part(_ level: Int, _ name: String) -> String {
            guard level > 0 else { return "Content-Type: text/plain\r\n\r\n" + String(repeating: "x", count: leaf) + "\r\n" }
            let children = ["a", "b"].map { "--\(name)\r\n" + part(level - 1, name + $0) }.joined()
            return "Content-Type: multipart/mixed; boundary=\"\(name)\"\r\n\r\n\(children)--\(name)--\r\n"
        }
        return Array((header + part(depth - 1, "edge")).utf8)
    }

    private static func split(_ text: String) -> String {
        text.count <= 255 ? text : text.prefix(255) + "\" \"" + text.dropFirst(255)
    }
}
