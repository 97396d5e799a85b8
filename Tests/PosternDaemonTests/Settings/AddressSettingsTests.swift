import InternetMessage
import NetworkAddress
import Testing
@testable import PosternDaemon

/// The settings of aliases, and how their faults are told.
@Suite struct AddressSettingsTests {
    private func parse(_ text: String) throws -> Settings { try SettingsFile.parse(text, file: "p.toml", baseFolder: "/etc/postern") }

    private func fault(_ text: String) -> String {
        do { _ = try parse(text) } catch { return "\(error)" }
        return ""
    }

    @Test func tablesAreNamedAsInPostfix() throws {
        let settings = try parse("alias_maps = [\"hash:/etc/aliases\", \"lmdb:more\", \"/srv/a\"]")
        #expect(settings[Known.aliasMaps].map(\.path) == ["/etc/aliases", "/etc/postern/more", "/srv/a"])
        for type in ["regexp:/x", "mysql:/x", "proxy:hash:/x", "hash:", ""] { #expect(fault("alias_maps = [\"\(type)\"]").hasPrefix("p.toml:1: alias_maps[1] must be "), "\(type)") }
    }

    @Test func virtualAliases() throws {
        let settings = try parse("[virtual_aliases]\n\"a@x.example\" = \"b@y.example, c@z.example\"\n\"@w.example\" = [\"d@y.example\"]")
        #expect(settings[Known.virtualAliases].table.keys == ["@w.example", "a@x.example"])
        #expect(settings.text(of: Known.virtualAliases) == "{ \"@w.example\" = \"d@y.example\", \"a@x.example\" = \"b@y.example, c@z.example\" }")
        #expect(fault("\n[virtual_aliases]\n\"a@x.example\" = \"b\"\n\"c@x.example\" = \"|/bin/sh\"").hasPrefix("p.toml:4: virtual_aliases.c@x.example must be "))
        #expect(fault("[virtual_aliases]\n\"a@x.example\" = 5").hasPrefix("p.toml:2: virtual_aliases.a@x.example must be "))
    }

    @Test func catchAll() throws {
        let settings = try parse("catch_all = { \"x.example\" = \"alice\" }")
        #expect(settings[Known.catchAll].accounts == [try #require(DomainName("x.example")): "alice"])
        #expect(fault("catch_all = { \"x y\" = \"alice\" }").hasPrefix("p.toml:1: catch_all.x y must be "))
        #expect(fault("catch_all = \"alice\"").hasPrefix("p.toml:1: catch_all must be "))
    }

    @Test func theDomainOfRewrittenSenders() throws {
        #expect(try parse("myhostname = \"mx.a.example\"").srsDomain.text == "mx.a.example")
        #expect(try parse("mydestination = [\"a.example\", \"b.example\"]").srsDomain.text == "a.example")
        #expect(try parse("mydestination = [\"a.example\"]\nsrs_domain = \"srs.a.example\"").srsDomain.text == "srs.a.example")
        #expect(fault("srs_domain = \"not a domain\"") != "")
    }
}
