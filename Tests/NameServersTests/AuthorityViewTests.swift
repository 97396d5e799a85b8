import DNS
import Foundation
import NetworkAddress
import Testing
@testable import NameServers

/// One answer for each address; the others are silent.
struct FixedServers: NameServerAsking {
    let answers: [String: NameServerAnswer]
    func ask(_ question: DNSQuestion, of server: IPAddress) async -> NameServerAnswer { answers[server.description] ?? .unreachable("no answer within 2 s") }
}

struct AuthorityViewTests {
    private static let zone = """
        example.org NS ns1.example.org
        example.org NS ns2.example.org
        ns1.example.org A 192.0.2.1
        ns2.example.org A 192.0.2.2
        ns2.example.org AAAA 2001:db8::2
        example.org TXT "from the cache"
        """

    private func view(_ answers: [String: NameServerAnswer]) throws -> AuthorityView {
        AuthorityView(resolver: try ZoneResolver(Self.zone), nameServers: FixedServers(answers: answers))
    }

    @Test func everyServerHasItsSay() async throws {
        let view = try view(["192.0.2.1": .records([[1, 97]]), "192.0.2.2": .nameError])
        // The address that does not answer does not count beside one that has.
        #expect(await view.ask(name("example.org"), .txt) == [
            .init(source: "ns1.example.org [192.0.2.1]", answer: .records([[1, 97]])), .init(source: "ns2.example.org [192.0.2.2]", answer: .nameError),
        ])
        guard case .records(let first) = await view.resolve(DNSQuestion(name("example.org"), .txt)).outcome else { Issue.record("no records"); return }
        #expect(first == [[1, 97]])
    }

    @Test func aSilentServerIsSaid() async throws {
        let voices = try await view(["192.0.2.1": .noData]).ask(name("example.org"), .txt)
        #expect(voices.count == 3 && voices[1].answer == .unreachable("no answer within 2 s"))
    }

    @Test func theResolverStandsInWhereNobodyCanBeReached() async throws {
        let voices = try await view([:]).ask(name("example.org"), .txt)
        #expect(voices.map(\.source) == ["the resolver"])
        #expect(voices.first?.answer == .records([[14] + Array("from the cache".utf8)]))
        let only = AuthorityView(resolver: try ZoneResolver(Self.zone), nameServers: nil)
        #expect(await only.ask(name("example.org"), .mx).map(\.answer) == [.noData])
    }

    @Test func namesInRecordsAreUncompressed() throws {
        // An MX whose exchange points back into the question (RFC 1035 §4.1.4).
        let question = DNSQuestion(name("example.org"), .mx)
        var bytes = NameServerQuery.encode(question, id: 9)
        bytes.removeLast(11)
        (bytes[2], bytes[7], bytes[11]) = (0x84, 1, 0)
        bytes += [0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2, 109, 120, 0xc0, 12]
        guard case .records(let found)? = NameServerReply(parsing: bytes)?.verdict else { Issue.record("no records"); return }
        #expect(MXRecord(rdata: found[0])?.exchange == name("mx.example.org"))
        // One that says more octets than its record has is no reply.
        bytes[bytes.count - 8] = 4
        #expect(NameServerReply(parsing: bytes) == nil)
    }
}
