import DKIM
import DNS
import NameServers
import Foundation
import NetworkAddress
import PosternTesting
import Synchronization
@testable import DKIMKeys

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String
    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("postern-keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock that a test moves.
final class TestClock: Sendable {
    private let time: Mutex<Date>
    init(_ seconds: TimeInterval = 1_700_000_000) { time = Mutex(Date(timeIntervalSince1970: seconds)) }
    var now: Date { time.withLock { $0 } }
    func advance(_ seconds: TimeInterval) { time.withLock { $0 += seconds } }
}

/// Name servers made of zone text, one zone an address; addresses without one are silent.
final class ZoneServersFake: NameServerAsking {
    private let zones: Mutex<[String: [ZoneRecord]]>
    private let answers: Mutex<[String: NameServerAnswer]>

    init(_ zones: [String: String], fixed: [String: NameServerAnswer] = [:]) throws {
        self.zones = Mutex(try zones.mapValues { try ZoneText.parse($0) })
        answers = Mutex(fixed)
    }

    func publish(_ text: String, on address: String) throws {
        let records = try ZoneText.parse(text)
        zones.withLock { $0[address, default: []] += records }
    }

    func ask(_ question: DNSQuestion, of server: IPAddress) async -> NameServerAnswer {
        if let fixed = answers.withLock({ $0[server.description] }) { return fixed }
        guard let zone = zones.withLock({ $0[server.description] }) else { return .unreachable("no answer") }
        let here = zone.filter { $0.name == question.name }
        if let alias = here.first(where: { $0.type == .cname }), let target = WireName.decode(alias.rdata[...])?.name { return .alias(target) }
        let found = here.filter { $0.type == question.type }
        if !found.isEmpty { return .records(found.map(\.rdata)) }
        return here.isEmpty ? .nameError : .noData
    }
}

/// A keeper over a fresh store, with two name servers for example.org.
struct Workshop {
    static let delegation = """
        example.org. NS ns1.example.org.
        example.org. NS ns2.example.net.
        ns1.example.org. A 192.0.2.1
        ns2.example.net. A 192.0.2.2
        """
    let folder: TemporaryFolder
    let clock = TestClock()
    let servers: ZoneServersFake
    let store: KeyStore
    let keeper: KeyKeeper
    static let week: TimeInterval = 604_800

    init() throws {
        folder = try TemporaryFolder()
        servers = try ZoneServersFake(["192.0.2.1": "", "192.0.2.2": ""])
        store = KeyStore(folder: folder.path + "/dkim")
        let clock = clock
        keeper = KeyKeeper(store: store, check: PublicationCheck(resolver: try ZoneResolver(Self.delegation), nameServers: servers),
                           retirement: Self.week, now: { clock.now })
    }

    func publish(_ keys: DomainKeys, on addresses: [String] = ["192.0.2.1", "192.0.2.2"]) throws {
        for address in addresses {
            for key in keys.keys(in: .staged) {
                if let name = keys.recordName(key) { try servers.publish(ZoneLine.txt(key.record, at: name), on: address) }
            }
        }
    }

    func states() throws -> [StoredKey.State] { try store.load(name("example.org"))?.keys.map(\.state) ?? [] }
}

func name(_ text: String) -> DomainName { DomainName(text) ?? .root }
