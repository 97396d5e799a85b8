import InternetMessage
import NetworkAddress
import Testing
@testable import SMTPCore

/// XCLIENT, by Postfix's XCLIENT_README.
@Suite struct ClientOverrideTests {
    private func parse(_ text: String) throws -> ClientOverride {
        guard case .xclient(let override) = try CommandParser.parse(Array("XCLIENT \(text)".utf8)) else { throw CommandError.badCharacter }
        return override
    }

    @Test func attributes() throws {
        let all = try parse("NAME=mail.example ADDR=192.0.2.1 port=2525 PROTO=ESMTP HELO=h.example LOGIN=al+2Bice DESTADDR=IPV6:2001:db8::1 DESTPORT=25")
        #expect(all.name?.value == "mail.example")
        #expect(all.address?.value == IPAddress("192.0.2.1"))
        #expect(all.port?.value == 2525)
        #expect(all.isExtended?.value == true)
        #expect(all.helo?.value == "h.example")
        #expect(all.login?.value == "al+ice")
        #expect(all.destinationAddress?.value == IPAddress("2001:db8::1"))
        #expect(all.destinationPort?.value == 25)
    }

    @Test func whatIsNotSaidIsLeftAndWhatIsUnavailableIsNil() throws {
        let some = try parse("NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL]")
        #expect(some.name != nil && some.name?.value == nil)
        #expect(some.address != nil && some.address?.value == nil)
        #expect(some.helo == nil && some.login == nil)
    }

    @Test func mappedAddressesAreIPv4() throws { #expect(try parse("ADDR=IPV6:::ffff:192.0.2.1").address?.value == IPAddress("192.0.2.1")) }

    @Test(arguments: ["", "NAME", "COLOUR=red", "ADDR=mail.example", "ADDR=192.0.2", "PORT=65536", "PROTO=LMTP", "HELO=", "NAME=a+0Ab", "NAME=a+ZZ",
                      "HELO=a+20b", "NAME=" + String(repeating: "a", count: 256)])
    func refused(_ text: String) { #expect(throws: CommandError.self) { try parse(text) } }

    @Test func onlyForThoseWhoMay() {
        var stranger = ServerFixture()
        #expect(!stranger.send("EHLO a\r\n").contains("XCLIENT"))
        #expect(stranger.send("XCLIENT ADDR=192.0.2.1\r\n") == "550 5.7.0 Error: insufficient authorization\r\n")
        #expect(stranger.questions.count == 2)
    }

    @Test(arguments: [Int.max, 1]) func theSessionBeginsAnew(_ step: Int) {
        var proxy = ServerFixture { $0.offersXClient = true }
        #expect(proxy.send("EHLO proxy\r\n").contains("250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n"))
        #expect(proxy.send("XCLIENT ADDR=192.0.2.1 NAME=mail.example\r\n", step: step) == "220 mx.home.example ESMTP Postern\r\n")
        #expect(proxy.send("MAIL FROM:<>\r\n").hasPrefix("503 5.5.1 Error: send HELO/EHLO first"))
        proxy.send("EHLO mail.example\r\nMAIL FROM:<>\r\n")
        #expect(proxy.send("XCLIENT ADDR=192.0.2.2\r\n").hasPrefix("503 5.5.1"))
    }

    @Test func aRefusedClientIsRefusedAsAtConnect() {
        var proxy = ServerFixture { $0.offersXClient = true }
        proxy.refuse = { if case .client = $0 { SMTPReply(554, "5.7.1", "not you") } else { nil } }
        #expect(proxy.send("XCLIENT ADDR=192.0.2.1\r\n") == "554 not you\r\n")
        #expect(proxy.send("EHLO a\r\n").hasPrefix("503"))
        #expect(proxy.send("QUIT\r\n").hasPrefix("221"))
    }

    @Test func aLoginIsBelieved() {
        var proxy = ServerFixture(isTLS: true) { ($0.offersXClient, $0.requiresAuthentication) = (true, true) }
        proxy.send("XCLIENT LOGIN=alice\r\nEHLO a\r\n")
        #expect(proxy.send("MAIL FROM:<>\r\n").hasPrefix("250"))
        proxy.send("RSET\r\nXCLIENT LOGIN=[UNAVAILABLE]\r\nEHLO a\r\n")
        #expect(proxy.send("MAIL FROM:<>\r\n").hasPrefix("530 5.7.0"))
    }
}
