import DKIM
import DNS
import InternetMessage
import Logging
import Milter
import NetworkAddress
import PosternTesting
import Testing
@testable import MailFilters

/// Keys made once: two of example.org, one of another domain of ours.
private enum Keys {
    static let rsa = make(.rsa2048, "example.org", "r"), ed = make(.ed25519, "example.org", "e"), other = make(.ed25519, "example.net", "n")

    static func make(_ kind: SigningKey.Kind, _ domain: String, _ selector: String) -> SigningKey {
        do {
            return try SigningKey(pem: SigningKey.generate(kind), domain: DomainName(domain) ?? .root, selector: selector)
        } catch { preconditionFailure("no test key: \(error)") }
    }

    /// As zone text; TXT strings of at most 255 octets.
    static var zone: String {
        [rsa, ed, other].map { key in
            let text = Array(key.publicRecord)
            let strings = stride(from: 0, to: text.count, by: 255).map { "\"" + String(text[$0..<min($0 + 255, text.count)]) + "\"" }
            return "\(key.selector)._domainkey.\(key.domain). TXT " + strings.joined(separator: " ")
        }.joined(separator: "\n")
    }
}

@Suite("Signing: only our own mail, and once") struct SigningTests {
    private let filter = SigningFilter(
        keys: KeyTable([.init(Keys.rsa), .init(Keys.ed), .init(Keys.other)], hostName: DomainName("mail.example.org")),
        mayWriteAs: { account, address in account == "alice@example.org" && address.description == "alice@example.org" },
        logger: Logger(label: "test"))

    private func text(from: String = "From: Alice <alice@example.org>", more: String = "") -> String {
        from + "\r\nTo: bob@example.com\r\nSubject: lunch\r\n" + more + "\r\nhello\r\n"
    }

    private func run(_ text: String, account: String? = nil, ownNetwork: Bool = false) async -> Transaction {
        var connection = ConnectionFacts(clientAddress: IPAddress("192.0.2.1"), listener: "smtp")
        connection.authenticatedUser = account
        connection.isOwnNetwork = ownNetwork
        var transaction = Transaction(id: "1", connection: connection)
        transaction.receive(Message(parsing: Array(text.utf8)))
        #expect(await filter.makeSession().endOfMessage(&transaction) == .continue)
        return transaction
    }

    private func signers(_ message: Message) -> [String] {
        message.header.all("DKIM-Signature").map { field in
            field.value.split(separator: ";").map { $0.filter { !$0.isWhitespace } }.filter { $0.hasPrefix("s=") }.joined()
        }
    }

    // MARK: Whose mail

    @Test("Somebody who logged in, as himself") func submission() async throws {
        let signed = await run(text(), account: "alice@example.org")
        #expect(signers(signed.message) == ["s=r", "s=e"])
        #expect(signed[SignedByKey.self] == ["example.org/r", "example.org/e"])
        let verdicts = try await DKIMVerifier(resolver: try ZoneResolver(Keys.zone)).verify(signed.message)
        #expect(verdicts.map(\.verdict) == [.pass, .pass])
    }

    @Test("A client of the own networks that need not log in") func ownNetwork() async {
        #expect(signers(await run(text(), ownNetwork: true).message) == ["s=r", "s=e"])
    }

    @Test("A stranger who writes as one of ours is not signed") func stranger() async {
        let transaction = await run(text())
        #expect(transaction.modifications.isEmpty)
        #expect(transaction[SignedByKey.self] == nil)
    }

    @Test("An account that writes as somebody else is not signed, from the own networks neither",
          arguments: ["bob@example.org", "alice@example.net", "root@mail.example.org"])
    func impersonation(address: String) async {
        #expect(await run(text(from: "From: <\(address)>"), account: "alice@example.org").modifications.isEmpty)
        #expect(await run(text(from: "From: <\(address)>"), account: "alice@example.org", ownNetwork: true).modifications.isEmpty)
    }

    // RFC 5322 §3.6.2: without exactly one author there is nobody to stand for.
    @Test("No author, or more than one", arguments: [
        "X-From: nobody", "From: alice@example.org, bob@example.org", "From: alice@example.org\r\nFrom: alice@example.org", "From: nonsense",
        "From: undisclosed:;", "From: <>",
    ])
    func authors(from: String) async {
        #expect(await run(text(from: from), ownNetwork: true).modifications.isEmpty)
        #expect(await run(text(from: from), account: "alice@example.org").modifications.isEmpty)
    }

    @Test("Domains that have no key", arguments: ["a@example.com", "a@www.example.org", "a@notexample.org", "a@org", "a@[192.0.2.1]"])
    func unrelated(address: String) async {
        #expect(await run(text(from: "From: \(address)"), ownNetwork: true).modifications.isEmpty)
    }

    @Test("A domain's keys sign for it alone") func rightKeys() async {
        #expect(signers(await run(text(from: "From: a@Example.NET"), ownNetwork: true).message) == ["s=n"])
    }

    // MARK: Once

    @Test("A message that comes by again passes unchanged") func again() async throws {
        let once = await run(text(), account: "alice@example.org")
        let octets = String(decoding: try once.message.bytes(), as: UTF8.self)
        let twice = await run(octets, account: "alice@example.org")
        #expect(twice.modifications.isEmpty)
        #expect(twice[SignedByKey.self] == nil)
    }

    @Test("Only the key that has not signed yet does", arguments: [
        "d=example.org; s=r", "d=Example.ORG; s=R", "s=r;\r\n\td=example.org", "d = example.org ; s =\r\n r", "d=example.\r\n org; s=r",
    ])
    func half(tags: String) async {
        let field = "DKIM-Signature: v=1; a=rsa-sha256; \(tags); b=AAAA\r\n"
        let transaction = await run(text(more: field), ownNetwork: true)
        #expect(transaction[SignedByKey.self] == ["example.org/e"])
    }

    @Test("Signatures of others, and tags that only look so, do not keep us from signing", arguments: [
        "d=example.net; s=r", "d=example.org; s=x", "d=xexample.org; s=r", "x=d=example.org; s=r", "d=example.org.evil; s=r", "d=example.org", "",
    ])
    func others(tags: String) async {
        let field = "DKIM-Signature: v=1; a=rsa-sha256; \(tags); b=AAAA\r\n"
        #expect(await run(text(more: field), ownNetwork: true)[SignedByKey.self] == ["example.org/r", "example.org/e"])
    }

    // MARK: What the gateway writes itself

    @Test("A bounce in the host's own name, by the domain's keys") func bounce() async throws {
        let signed = await run(text(from: "From: MAILER-DAEMON@mail.example.org"), ownNetwork: true).message
        let results = try await DKIMVerifier(resolver: try ZoneResolver(Keys.zone)).verify(signed)
        #expect(results.map(\.verdict) == [.pass, .pass])
        #expect(results.map { $0.domain?.text } == ["example.org", "example.org"])
        #expect(signers(await run(text(from: "From: MAILER-DAEMON@mail.example.com"), ownNetwork: true).message).isEmpty)
    }

    @Test("A cron job's mail in the host's own name") func cron() async {
        #expect(signers(await run(text(from: "From: root@mail.example.org"), ownNetwork: true).message) == ["s=r", "s=e"])
    }
}
