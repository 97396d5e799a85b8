import DKIM
import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import MailFilters

/// Whose mail is signed, and whose never.
@Suite struct SigningFilterTests {
    private func signatures(of message: Transaction) async throws -> [String] {
        let domain = try #require(DomainName("home.example"))
        let keys = try ["s1", "s2"].map { KeyTable.Entry(try SigningKey(pem: try SigningKey.generate(.ed25519), domain: domain, selector: $0)) }
        let filter = SigningFilter(keys: KeyTable(keys), mayWriteAs: { account, address in address.description == account }, logger: quiet)
        var message = message
        _ = await filter.endOfMessage(&message)
        return message.message.header.all("DKIM-Signature").map(\.value)
    }

    private let alice = "alice@home.example"

    @Test func everyKeyOfTheAuthorsDomainSigns() async throws {
        let made = try await signatures(of: transaction("From: Alice <alice@home.example>", account: alice))
        #expect(made.count == 2)
        #expect(made[0].contains("s=s1") && made[1].contains("s=s2"))
    }

    @Test func ownNetworksAreSigned() async throws {
        #expect(try await signatures(of: transaction("From: bob@home.example", own: true)).count == 2)
    }

    @Test func strangersAreNot() async throws {
        #expect(try await signatures(of: transaction("From: alice@home.example")).isEmpty)
    }

    @Test(arguments: [
        "From: bob@home.example", "From: alice@away.example", "From: alice@sub.home.example", "From: alice@home.example, bob@home.example",
        "From: alice@home.example\r\nFrom: boss@home.example", "Subject: no author", "From: undisclosed:;",
    ])
    func notInAnothersName(_ header: String) async throws {
        #expect(try await signatures(of: transaction(header, account: alice)).isEmpty)
    }

    /// Mail that passes twice, through Postfix's content filters, is signed once by each key.
    @Test func notTwice() async throws {
        let signed = "DKIM-Signature: v=1; a=ed25519-sha256; d=Home.Example;\r\n s=s1; h=from; bh=x; b=y\r\nFrom: alice@home.example"
        let found = try await signatures(of: transaction(signed, account: alice))
        #expect(found.count == 2)
        #expect(found.count { $0.contains("s=s2") } == 1)
    }
}
