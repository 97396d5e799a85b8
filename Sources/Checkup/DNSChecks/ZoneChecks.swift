import DNS
import NameServers
import NetworkAddress

extension DNSCheckup {
    /// One for each zone that our names lie in.
    func zoneChecks(_ domains: [DomainName]) -> [CheckTask] {
        guard view.isDirect else { return [] }
        var names = domains
        if setup.domain(above: setup.hostname) == nil { names.append(setup.hostname) }
        return names.map { name in CheckTask("name servers of \(name)", .safety) { await nameServers(name) } }
    }

    /// Whether every server of the zone answers, and with authority (RFC 1912 §2.8 calls those that do not lame).
    private func nameServers(_ name: DomainName) async -> [CheckFinding] {
        let why = "whoever happens to ask that server gets no answer, and mail waits or is refused"
        switch await view.zone(of: name) {
        case .unknown(let reason): return [CheckFinding("ns", name.text, .unknown, .safety, reason, why: why)]
        case .found(let zone):
            guard !zone.servers.isEmpty else { return [CheckFinding("ns", name.text, .unknown, .safety, "\(zone.zone) has no name servers with an address", why: why)] }
            let voices = await view.ask(zone.zone, .soa)
            let bad = voices.compactMap { voice -> CheckFinding? in
                switch voice.answer {
                case .records: nil
                case .unreachable(let reason): finding(zone, "\(voice.source) does not answer: \(reason)", "start that name server, or take it out of the zone's NS records")
                case .failure(let reason): finding(zone, "\(voice.source) is lame: \(reason)", "let that server load the zone, or take it out of the zone's NS records")
                case .alias, .noData, .nameError: finding(zone, "\(voice.source) is lame: it has no SOA record of the zone", "let that server load the zone, or take it out of the zone's NS records")
                }
            }
            if voices.count == 1, voices.first?.source == "the resolver" {
                return [CheckFinding("ns", zone.zone.text, .unknown, .safety, "none of the name servers of \(zone.zone) (\(zone.servers.map(\.name.text).joined(separator: ", "))) can be reached from here; the resolver is asked instead", why: why)]
            }
            return bad.isEmpty ? [CheckFinding("ns", zone.zone.text, .ok, .safety, "\(voices.count == 1 ? "its name server answers" : "all \(voices.count) name servers of \(zone.zone) answer")", why: why)] : bad
        }
    }

    private func finding(_ zone: ZoneServers, _ text: String, _ remedy: String) -> CheckFinding {
        CheckFinding("ns", zone.zone.text, .wrong, .receiving, text, remedy: remedy, why: "whoever happens to ask that server gets no answer, and mail waits or is refused")
    }
}
