import DNS
import Foundation
import InternetMessage
import Testing

/// The examples of contrib/docs/libraries.md run, and are what stands there.
@Suite struct ExampleTests {
    @Test func dns() async throws {
        #expect(await mailServers(of: "example.org", asking: try ZoneResolver(zone)) == ["mail.example.org", "backup.example.org"])
        #expect(await mailServers(of: "slow.example", asking: try ZoneResolver(zone, failing: ["slow.example"])).first?.hasPrefix("ask again") == true)
    }

    @Test func spf() async throws {
        let dns = try ZoneResolver("example.org. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"")
        #expect(await mayItSend("192.0.2.1", as: "alice@example.org", asking: dns) == "pass: ip4:192.0.2.0/24")
        #expect(await mayItSend("203.0.113.1", as: "alice@example.org", asking: dns) == "fail: -all")
    }

    @Test func dkim() async throws {
        #expect(try await signAndVerify("From: alice@example.org\r\nSubject: hello\r\n\r\nHello.\r\n", domain: "example.org") == ["pass example.org"])
    }

    @Test func dmarc() async throws {
        let dns = try ZoneResolver("_dmarc.example.org. TXT \"v=DMARC1; p=reject\"")
        #expect(await disposition(from: "alice@example.org", spf: nil, dkim: [], asking: dns) == "fail, reject")
        #expect(await disposition(from: "alice@example.org", spf: nil, dkim: ["example.org"], asking: dns) == "pass, none")
    }

    @Test func milter() async {
        let message = await filtered("From: alice@example.org\r\n\r\nHello.\r\n", to: ["a@example.org", "b@example.org"])
        #expect(message.header.first("X-Recipients")?.value == "2")
    }

    @Test func internetMessage() {
        #expect(summary(of: "From: Alice <alice@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello.\r\n") == "alice@example.org: Grüße")
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    @Test(arguments: ["DNS", "SPF", "DKIM", "DMARC", "Milter", "InternetMessage"])
    func theManualShowsWhatCompiles(_ product: String) throws {
        let code = try String(contentsOf: Self.folder.appendingPathComponent("\(product)Example.swift"), encoding: .utf8)
        #expect(code.hasPrefix("// Example: \(product)\n"))
        let manual = try String(contentsOf: Self.folder.appendingPathComponent("../../contrib/docs/libraries.md"), encoding: .utf8)
        #expect(manual.contains("## \(product)\n"))
        #expect(manual.contains("```swift\n\(code.drop { $0 != "\n" }.dropFirst())```"), "contrib/docs/libraries.md does not show \(product)Example.swift as it is")
    }
}
