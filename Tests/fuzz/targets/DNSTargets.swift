@testable import DKIMKeys
@testable import DNS
@testable import NameServers
import NetworkAddress

/// The DNS's texts and octets.
enum DNSTargets {
    static let zone: FuzzTarget = { input in
        guard let records = try? ZoneText.parse(String(decoding: input, as: UTF8.self)) else { return }
        for record in records {
            expect(record.rdata.count <= 65_535, "\(record.rdata.count) octets of RDATA")
            decode(record.rdata)
        }
        _ = ZoneResolver(records: records)
    }

    /// A name server's answer, and RDATA of every type.
    static let message: FuzzTarget = { input in
        decode(input)
        if let (name, consumed) = WireName.decode(input[...]) {
            expect(consumed <= input.count, "consumed \(consumed)")
            expect(WireName.decode(WireName.encode(name)[...])?.name == name, "\(name) reads otherwise")
        }
        if let reply = NameServerReply(parsing: input) { _ = reply.verdict }
    }

    private static func decode(_ rdata: [UInt8]) {
        _ = (ARecord(rdata: rdata), AAAARecord(rdata: rdata), MXRecord(rdata: rdata), PTRRecord(rdata: rdata), NSRecord(rdata: rdata), TLSARecord(rdata: rdata))
        if let text = TXTRecord(rdata: rdata) { expect(text.joined.count <= rdata.count, "TXT grew") }
    }
}
