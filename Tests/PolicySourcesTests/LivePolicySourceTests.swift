import BlockingPool
import Foundation
import InternetMessage
import Logging
import NetworkAddress
@testable import Policy
@testable import PolicySources
import PosternTesting
import Testing

@Suite struct LivePolicySourceTests {
    private func source(now: Int = 1_700_000_000) throws -> LivePolicySource {
        LivePolicySource(resolver: try ZoneResolver("far.example. MX 10 mx.far.example.\n"), state: nil, pool: BlockingPool(threads: 1), archives: BlockingPool(threads: 1),
                         logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, mayWrite: { account, address in address.localPart == account }, now: { now })
    }

    private func message(_ text: String) -> Message { Message(parsing: Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)) }

    @Test func ages() async throws {
        let source = try source()
        func age(_ date: String) async -> PolicyAnswer.Value? { await source.answer(.messageAge, about: message("Date: \(date)\n\nx\n")).value }
        #expect(await age("Tue, 14 Nov 2023 22:13:10 +0000") == .number(10))
        #expect(await age("Wed, 15 Nov 2023 00:13:20 +0100") == .number(-3600))
        #expect(await age("yesterday") == nil)
        #expect(await source.answer(.messageAge, about: message("Subject: x\n\nx\n")).value == nil)
    }

    @Test func accountsAndExchanges() async throws {
        let source = try source()
        let ann = try #require(EmailAddress("ann@far.example"))
        #expect(await source.answer(.mayWrite(account: "ann", as: ann), about: Message()).value == .flag(true))
        #expect(await source.answer(.mayWrite(account: "bob", as: ann), about: Message()).value == .flag(false))
        #expect(await source.answer(.mailExchange(try #require(DomainName("far.example"))), about: Message()).value == .word("mx"))
    }

    /// Where nothing is to be left behind nothing is counted and nobody waits.
    @Test func withoutState() async throws {
        let event = RateEvent(stage: .mail, key: "a", window: 60, isOfAccount: false, occasion: nil)
        #expect(try await source().answer(.rate(event), about: Message()).value == nil)
    }

    @Test func attachments() async throws {
        let archive = Data(try archiveBytes()).base64EncodedString()
        let text = """
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: text/plain

            see below
            --b
            Content-Type: image/png; name="=?utf-8?q?gr=C3=BC=C3=9Fe.png?="
            Content-Transfer-Encoding: base64

            \(archive)
            --b
            Content-Type: message/rfc822

            Content-Type: application/pdf
            Content-Disposition: attachment; filename*=utf-8''inner%20file.pdf

            %PDF
            --b
            Content-Type: application/zip
            Content-Disposition: attachment; filename=broken.zip

            no archive
            --b--

            """
        guard case .attachments(let found) = try await source().answer(.attachments, about: message(text)).value else { Issue.record("no listing"); return }
        #expect(found.types == ["text/plain", "image/png", "application/pdf", "application/zip"])
        #expect(found.names == ["grüße.png", "inner file.pdf", "broken.zip", "readme.txt", "run/setup.exe"])
        #expect(found.isUnreadable && !found.isEncrypted)
    }

    private func archiveBytes() throws -> [UInt8] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        return Array(try Data(contentsOf: URL(filePath: tests + "/ArchivesTests/Resources/two.zip")))
    }
}
