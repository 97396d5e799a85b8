import NetworkAddress
import Testing
@testable import PosternDaemon

/// What a settings file may say, and how it is told what it may not.
@Suite struct SettingsFileTests {
    private func parse(_ text: String) throws -> Settings { try SettingsFile.parse(text, file: "p.toml", baseFolder: "/etc/postern") }

    private func faults(_ text: String) -> [String] {
        do { _ = try parse(text) } catch let error as SettingsError { return error.description.split(separator: "\n").map(String.init) } catch { return ["\(error)"] }
        return []
    }

    @Test func anEmptyFileIsAllDefaults() throws {
        let settings = try parse("")
        #expect(settings[Known.messageSizeLimit] == 10_240_000)
        #expect(settings[Known.mynetworks].count == 2)
        #expect(!settings.isSet(Known.messageSizeLimit))
        // A relative default is meant from the file's folder, wherever the program was started.
        #expect(settings[Known.policyDirectory].path == "/etc/postern/policies")
    }

    @Test func valuesOfEachType() throws {
        let settings = try parse("""
            myhostname = "mx.example.org"
            mydestination = ["example.org", "b\u{fc}cher.example"]
            mynetworks = ["192.0.2.0/24", "[2001:db8::]/32"]
            data_directory = "data"
            smtpd_sasl_authenticated_header = true
            smtp_tls_security_level = "verify"
            listen.smtp = ["*:25", "[::1]:2525", "127.0.0.1:0", "localhost:26"]
            """)
        #expect(settings[Known.myhostname].text == "mx.example.org")
        #expect(settings[Known.mydestination].map(\.text) == ["example.org", "xn--bcher-kva.example"])
        #expect(settings[Known.mynetworks].count == 2)
        #expect(settings[Known.dataDirectory].path == "/etc/postern/data")
        #expect(settings[Known.receivedHeaderUser])
        #expect(settings[Known.smtpTLSSecurityLevel].word == .verify)
        #expect(settings[Known.listenSMTP].map(\.description) == ["*:25", "[::1]:2525", "127.0.0.1:0", "127.0.0.1:26"])
    }

    @Test(arguments: [("300", 300), ("\"45s\"", 45), ("\"5m\"", 300), ("\"2h\"", 7200), ("\"5d\"", 432_000), ("\"1w\"", 604_800), ("\"7\"", 7)])
    func timeSpans(_ text: String, _ seconds: Int) throws {
        #expect(try parse("smtpd_timeout = \(text)")[Known.smtpdTimeout].seconds == seconds)
    }

    @Test(arguments: ["-1", "\"-1s\"", "\"s\"", "\"5 m\"", "\"5y\"", "1.5", "true", "\"9223372036854775807w\"", "\"99999999999d\"", "0"])
    func noTimeSpans(_ text: String) {
        #expect(faults("smtpd_timeout = \(text)").first?.hasPrefix("p.toml:1: smtpd_timeout must be ") == true)
    }

    @Test(arguments: [
        ("\nmesage_size_limit = 1", "p.toml:2: unknown key mesage_size_limit; did you mean message_size_limit?"),
        ("# x\n\n[listen]\nsmpt = []", "p.toml:4: unknown key listen.smpt; did you mean listen.smtp?"),
        ("[listen]\nmyhostname = \"x\"", "p.toml:2: unknown key listen.myhostname; did you mean myhostname?"),
        ("forwarders = []", "p.toml:1: unknown key forwarders; did you mean dns.forwarders?"),
        ("[nonsense.deeply]\nx = 1", "p.toml:1: unknown key nonsense; see the settings reference: postern config reference"),
    ])
    func unknownKeys(_ text: String, _ expected: String) { #expect(faults(text) == [expected]) }

    @Test(arguments: [
        ("message_size_limit = \"10\"", "message_size_limit must be a whole number, 0 or more, without quotes"),
        ("message_size_limit = 0", "message_size_limit must be 10000 or more"),
        ("smtpd_recipient_limit = 0", "smtpd_recipient_limit must be 1 or more"),
        ("smtp_port = 70000", "smtp_port must be from 1 to 65535"),
        ("mydestination = \"example.org\"", "mydestination must be a list in brackets: [ … ]"),
        ("mydestination = [\"example.org\", 5]", "mydestination[2] must be a domain name such as \"example.org\""),
        ("mynetworks = [\"192.0.2.300/24\"]", "mynetworks[1] must be a network such as \"192.0.2.0/24\" or \"[2001:db8::]/32\""),
        ("listen.smtp = [\"2001:db8::1:25\"]", "listen.smtp[1] must be an address and a port such as \"*:25\", \"192.0.2.1:25\" or \"[::1]:25\""),
        ("log_level = \"loud\"", "log_level must be one of debug, info, notice, warning, error, in quotes"),
        ("smtp_bind_address = \"::1\"", "smtp_bind_address must be an IPv4 address of this machine, such as \"192.0.2.1\""),
        ("dns.forwarders = [\"9.9.9.9:53\"]", "dns.forwarders must be addresses such as \"192.0.2.53\" or \"127.0.0.1@5353\""),
        ("recipient_delimiter = \"@\"", "recipient_delimiter must be punctuation such as \"+\" or \"+-\""),
        ("relayhost = \"a b\"", "relayhost must be a host such as \"mail.example.org\" or \"[192.0.2.1]:25\""),
    ])
    func wrongValues(_ text: String, _ expected: String) { #expect(faults(text) == ["p.toml:1: " + expected]) }

    @Test func everyFaultIsToldAtOnceInTheOrderOfTheFile() {
        let found = faults("log_level = 1\nsmtp_port = 25\nnothing = 2\n[dns]\noffline = \"yes\"")
        #expect(found.map { $0.prefix(9) } == ["p.toml:1:", "p.toml:3:", "p.toml:5:"])
    }

    @Test func whatIsNoTOMLNamesItsLine() { #expect(faults("a = 1\nb = = 2").first?.hasPrefix("p.toml:2: not TOML") == true) }

    @Test func aKeyTwice() { #expect(faults("smtp_port = 25\nsmtp_port = 26").first?.hasPrefix("p.toml:2: not TOML") == true) }

    @Test func aMissingFileSaysWhatToDo() {
        #expect { try SettingsFile.load("/nonexistent/p.toml") } throws: { "\($0)".contains("there is no such file; name the settings file with --config FILE") }
    }
}

/// The repeated table `[[dkim]]`.
@Suite struct DKIMKeySettingTests {
    private let two = """
        [[dkim]]
        domain = "example.org"
        selector = "s1"
        key_file = "s1.key"

        [[dkim]]
        domain = "example.net"
        SELECTOR
        key_file = "/keys/s2.key"
        subdomains = true
        """

    private func parse(_ selector: String) throws -> [DKIMKeySetting] {
        try SettingsFile.parse(two.replacing("SELECTOR", with: selector), file: "p.toml", baseFolder: "/etc/postern")[Known.dkimKeys]
    }

    @Test func tablesInOrder() throws {
        let keys = try parse("selector = \"s2\"")
        #expect(keys.map(\.domain.text) == ["example.org", "example.net"])
        #expect(keys.map(\.keyFile.path) == ["/etc/postern/s1.key", "/keys/s2.key"])
        #expect(keys.map(\.subdomains) == [false, true])
    }

    @Test(arguments: [
        ("selector = 2", "p.toml:8: dkim[2].selector must be a string in quotes"),
        ("selectr = \"s2\"", "p.toml:8: dkim[2].selectr must be only domain, selector, key_file, subdomains; did you mean selector?"),
        ("", "p.toml:6: dkim[2].selector must be a value: it is missing"),
        ("selector = \"a b\"", "p.toml:8: dkim[2].selector must be a selector of letters, digits, hyphens and dots"),
    ])
    func faultsOfTheSecondTable(_ selector: String, _ expected: String) {
        #expect { try parse(selector) } throws: { "\($0)" == expected }
    }
}
