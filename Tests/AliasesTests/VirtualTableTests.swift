import InternetMessage
import Testing
@testable import Aliases

/// The sentences of virtual(5).
@Suite struct VirtualTableTests {
    @Test func theThreeKindsOfKeys() throws {
        let table = try virtualTable("""
            # source format
            Alice@Example.org   alice@home.example, bob
              , carol@away.example
            sales\tdan
            @example.net  catchall@home.example
            """)
        #expect(table.targets(of: try address("alice@example.org")) == [.address(try address("alice@home.example")), .name("bob"), .address(try address("carol@away.example"))])
        #expect(table.targets(ofName: "sales") == [.name("dan")])
        #expect(table.targets(ofDomain: try address("x@example.net").domain) == [.address(try address("catchall@home.example"))])
        #expect(table.domains.isEmpty)
    }

    /// "example.com anything": "with this, the SMTP server accepts mail for the domain".
    @Test func aDomainByItselfIsOurs() throws {
        let table = try virtualTable("virtual-alias.domain\tanything\nuser@virtual-alias.domain address")
        #expect(table.domains == [try domain("virtual-alias.domain")])
    }

    @Test(arguments: ["alice@example.org", "a@b@c x@y.example", "alice@example.org |cmd", "alice@example.org /file", "alice@example.org :include:/x", "alice@example.org x y", "@ x@y.example", "a@example.org \\a"])
    func nonsense(_ text: String) throws {
        do {
            _ = try virtualTable("ok@example.org x\n" + text)
            Issue.record("it was taken")
        } catch let error as TableError {
            #expect(error.faults.count == 1 && error.faults[0].line == 2 && error.faults[0].description.hasPrefix("virtual:2: "))
        }
    }
}
