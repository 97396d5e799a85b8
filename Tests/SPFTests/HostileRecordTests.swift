import DNS
import NetworkAddress
import SPF
import Testing

/// Records that a stranger bent: always a result, nothing unprintable in it, never more work than the limits allow.
@Suite struct HostileRecordTests {
    /// Answers every TXT question with the same record and everything else with the client's address.
    actor Counter {
        var count = 0
        func add() { count += 1 }
    }

    struct Fixed: Resolver {
        let record: [UInt8]
        let counter = Counter()
        func resolve(_ question: DNSQuestion) async -> DNSResponse {
            await counter.add()
            if question.type != .txt { return DNSResponse(.noData) }
            let strings = stride(from: 0, to: record.count, by: 255).flatMap { start in
                let piece = record[start..<min(start + 255, record.count)]
                return [UInt8(piece.count)] + piece
            }
            return DNSResponse(.records([strings]))
        }
    }

    @Test(arguments: 0..<8) func mutations(_ seed: Int) async throws {
        let seeds = ["v=spf1 a:%{d2r-}.x.example/24//64 mx ptr include:%{i}.y.example ip6:2001:db8::/32 exp=%{d}.why.example -all",
                     "v=spf1 exists:%{ir}.%{v}.%{l1r-+}.%{o}.x.example ?redirect=z.example redirect=%{h}", "v=spf1 ip4:192.0.2.0/24 ~all moo=%{S}"]
        var random = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next(_ limit: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % limit
        }
        for _ in 0..<150 {
            var record = Array(seeds[next(seeds.count)].utf8)
            for _ in 0...next(6) {
                let position = 7 + next(record.count - 7)
                switch next(4) {
                case 0: record[position] = UInt8(next(256))
                case 1: record.remove(at: position)
                case 2: record.insert(Array("%{}:/.-=0129r ".utf8)[next(14)], at: position)
                default: record += record[position...]
                }
                if record.count < 10 { record += Array(" a mx -all".utf8) }
            }
            let resolver = Fixed(record: record)
            let spf = SPFEvaluator(resolver: resolver, receiverName: "mx.example", now: { 0 })
            let result = await spf.checkHost(client: .v4Loopback, domain: "example.com", localPart: "a-b", helo: "h.example", identity: .mailfrom)
            #expect((result.reason + (result.explanation ?? "")).utf8.allSatisfy { (32...126).contains($0) })
            // Ten terms, each with its PTR or MX names at worst; these answer none.
            #expect(await resolver.counter.count <= 16)
        }
    }
}
