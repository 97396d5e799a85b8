import DNS
import NetworkAddress
import PublishedRecords

extension DNSCheckup {
    /// What others think of our addresses, and whether we reach them.
    func reachChecks() -> [CheckTask] {
        guard options.usesNetwork else { return [CheckTask("the network") { skipped() }] }
        var out: [CheckTask] = []
        for address in setup.sources {
            for list in options.blocklists { out.append(CheckTask("\(address) on \(list)", .sending) { [await listing(address, list)] }) }
        }
        if let domain = options.portDomain, setup.relay == nil { out.append(CheckTask("port 25 outward", .sending) { [await outward(domain)] }) }
        return out
    }

    private func skipped() -> [CheckFinding] {
        [CheckFinding("blocklist", setup.hostname.text, .skipped, .sending, "block lists were not asked (--no-network)"),
         CheckFinding("port-25", setup.hostname.text, .skipped, .sending, "connections to other servers were not tried (--no-network)")]
    }

    /// RFC 5782 §2: an address from 127.0.0.0/8 says listed; 127.255.255.x that the list refuses to say.
    private func listing(_ address: IPAddress, _ list: DomainName) async -> CheckFinding {
        let labels = address.unmapped.reverseName.split(separator: ".").dropLast(2).joined(separator: ".")
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ remedy: String? = nil) -> CheckFinding {
            CheckFinding("blocklist", address.description, verdict, .sending, text, remedy: remedy, why: "servers that ask the list refuse mail from there")
        }
        guard let name = DomainName("\(labels).\(list)") else { return made(.unknown, "\(list) cannot be asked about \(address)") }
        // Through the resolver: that is how receivers ask, and what the list's limits count.
        let answer = await view.resolver.lookup(ARecord.self, at: name)
        if let failure = answer.failure { return made(.unknown, "\(list) did not answer: \(failure)") }
        let codes = answer.records.map(\.address)
        if codes.contains(where: { Array($0.octets.prefix(3)) == [127, 255, 255] }) {
            return made(.note, "\(list) refuses questions from this resolver (\(RecordText.list(codes))), which says nothing about the address: ask through a resolver of your own")
        }
        let listed = codes.filter { $0.octets.first == 127 }
        guard !listed.isEmpty else {
            // RFC 5782 §5: a list that works lists 127.0.0.2, and ::FFFF:7F00:2 if it lists IPv6 addresses.
            guard await isAlive(list) else { return made(.unknown, "\(list) does not answer for its own test entry: either the list is no more, or this resolver does not reach it") }
            return made(.ok, "\(address) is not on \(list)")
        }
        let reason = await view.resolver.lookup(TXTRecord.self, at: name).records.first.map { ": " + RecordText.clean($0.joined) } ?? ""
        return made(.wrong, "\(address) is listed by \(list) (\(RecordText.list(listed)))\(reason)", "find out what was sent, mend it, and ask \(list) to remove the address")
    }

    private func isAlive(_ list: DomainName) async -> Bool {
        guard let name = list.prepending("2.0.0.127") else { return false }
        return !(await view.resolver.lookup(ARecord.self, at: name)).records.isEmpty
    }

    /// Whether a connection to somebody's port 25 is let out; many providers close it.
    private func outward(_ domain: DomainName) async -> CheckFinding {
        func made(_ verdict: CheckFinding.Verdict, _ text: String, _ remedy: String? = nil) -> CheckFinding {
            CheckFinding("port-25", domain.text, verdict, .sending, text, remedy: remedy, why: "mail to other domains leaves by port 25")
        }
        let exchanges = await view.resolver.lookup(MXRecord.self, at: domain)
        if let failure = exchanges.failure { return made(.unknown, "the MX of \(domain) could not be asked for: \(failure)") }
        let hosts = exchanges.records.filter { !$0.isNull }.sorted { $0.preference < $1.preference }.prefix(3).map(\.exchange)
        var places: [LineConnection.Place] = []
        for host in hosts { places += (await view.resolver.lookup(ARecord.self, at: host)).records.prefix(1).map { .inet($0.address, options.smtpPort) } }
        guard !places.isEmpty else { return made(.unknown, "\(domain) has no MX host with an address to try port \(options.smtpPort) with") }
        let (time, tried) = (options.connectionTime, places)
        let problems = await withTaskGroup(of: String?.self) { group in
            for place in tried { group.addTask { await attempt(place, time) } }
            return await group.reduce(into: [String?]()) { $0.append($1) }
        }
        if problems.contains(nil) { return made(.ok, "port \(options.smtpPort) of \(domain)'s servers answers") }
        return made(.wrong, "none of \(places.count) mail servers of \(domain) answers on port \(options.smtpPort): \(problems.compactMap { $0 }.sorted().joined(separator: "; "))",
                    "ask your provider to open port 25 outward, or send through a relay (relayhost)")
    }

    /// - Returns: why not; nil when a mail server answers.
    private func attempt(_ place: LineConnection.Place, _ time: Duration) async -> String? {
        do {
            let code = try await pool.run { try LineConnection(place, within: time).reply().code }
            // 220 greets, 554 will not have us: the port is open in either case (RFC 5321 §3.1).
            return (200..<600).contains(code) ? nil : "\(place): reply \(code)"
        } catch { return "\(place): \(error)" }
    }
}

enum RecordText {
    static func list(_ all: [some CustomStringConvertible]) -> String { all.map(\.description).joined(separator: ", ") }
    /// A stranger's words, printable and bounded.
    static func clean(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(300).map { (32...126).contains($0) ? $0 : 63 }, as: UTF8.self) }
}
