import InternetMessage
import NetworkAddress
import NIOCore
import SMTPCore

/// One message's way through a destination's hosts: who is settled, who is left for the next host.
struct DeliveryAttempt {
    let client: SMTPClient
    let hop: NextHop
    let sender: OutgoingSender
    let message: OutgoingMessage
    let recipients: [ClientRecipient]
    let security: DestinationSecurity

    struct Progress {
        var results: [RecipientResult?]
        var addresses = 0
        var sessions = 0
        /// Another host must not be asked: the last one may have taken the message.
        var mustStop = false
        /// What to tell those whom no host has decided about.
        var lastFinding: RecipientResult?

        var open: [Int] { results.indices.filter { results[$0] == nil || results[$0]?.kind == .temporary } }
    }

    private var configuration: SMTPClientConfiguration { client.configuration }

    func run(_ hosts: [MailHost]) async -> [RecipientResult] {
        let end = ContinuousClock.now + configuration.overallDeadline
        var progress = Progress(results: Array(repeating: nil, count: recipients.count))
        reportPolicy()
        for host in hosts where !isDone(progress, end) {
            if await !tryHost(host, until: end, &progress) { break }
        }
        let missing = progress.lastFinding ?? RecipientResult(.temporary, status: "4.4.1", text: "No host of \(hop) was tried in time", cause: .connection)
        return progress.results.map { $0 ?? missing }
    }

    private func isDone(_ progress: Progress, _ end: ContinuousClock.Instant) -> Bool {
        progress.mustStop || progress.open.isEmpty || progress.addresses >= configuration.addressLimit
            || progress.sessions >= configuration.sessionLimit || ContinuousClock.now >= end
    }

    /// - Returns: false when no further host may be tried, because this one is ourselves.
    private func tryHost(_ host: MailHost, until end: ContinuousClock.Instant, _ progress: inout Progress) async -> Bool {
        let found = await client.router.lookUp(host)
        switch found.addresses {
        case .none:
            // Kept only where nothing better is known: another host's silence may pass, this will not.
            progress.lastFinding = progress.lastFinding
                ?? RecipientResult(.permanent, status: "5.4.4", text: "Host \(host.name) of \(hop) has no address", cause: .dns)
        case .temporary(let why):
            progress.lastFinding = RecipientResult(.temporary, status: "4.4.3", text: "Host \(host.name) cannot be looked up now: \(why)", cause: .dns)
        case .addresses(let addresses):
            if isOurs(host, addresses) {
                if progress.lastFinding == nil { progress.lastFinding = loopFinding }
                return false
            }
            switch await security.verdict(on: host, found) {
            case .unfit(let why): passOver(host, why, &progress)
            case .demands(let demands):
                for server in servers(host, addresses) where !isDone(progress, end) {
                    progress.addresses += 1
                    await tryServer(server, host, demands, until: end, &progress)
                }
            }
        }
        return true
    }

    private func servers(_ host: MailHost, _ addresses: [IPAddress]) -> [ServerFacts] {
        if case .unix = host.place { return [ServerFacts(name: host.name, address: nil, port: 0)] }
        return addresses.map { ServerFacts(name: host.name, address: $0, port: host.port) }
    }

    /// An address of ours on the port where we listen. A relay host on another port of this machine is no loop.
    private func isOurs(_ host: MailHost, _ addresses: [IPAddress]) -> Bool {
        host.port == configuration.port && addresses.contains { configuration.ownAddresses.contains($0.unmapped) }
    }

    private var loopFinding: RecipientResult {
        RecipientResult(.permanent, status: "5.4.6", text: "Mail for \(hop) loops back to this server", cause: .dns)
    }

    private func passOver(_ host: MailHost, _ why: DestinationSecurity.UnfitServer, _ progress: inout Progress) {
        let server = ServerFacts(name: host.name, address: nil, port: host.port)
        progress.lastFinding = RecipientResult(why.isPermanent ? .permanent : .temporary, status: why.status, text: why.text, cause: why.cause)
        if let told = security.observation(why.source, server, failure: why.failure, why.text) { client.observe(told) }
    }

    /// A policy that is announced and cannot be had is told of, though mail goes on without it (RFC 8460 §4.3.2.3).
    private func reportPolicy() {
        guard let problem = security.sts.problem, let kind = TLSFailureKind(rawValue: problem.kind.rawValue),
            let told = security.observation(.sts, nil, failure: kind, problem.description) else { return }
        client.observe(told)
    }

    /// Once there is room for another connection with that server.
    private func tryServer(_ server: ServerFacts, _ host: MailHost, _ demands: [TLSDemand], until end: ContinuousClock.Instant, _ progress: inout Progress) async {
        guard let room = client.rooms.key(server) else { return await useServer(server, host, demands, until: end, &progress) }
        guard await client.rooms.enter(room, until: min(end, ContinuousClock.now + configuration.hostPatience)) else {
            // RFC 3463 §3.5: mail system congestion.
            progress.lastFinding = RecipientResult(.temporary, status: "4.4.5", text: "Enough mail is on its way to \(server.name) already", server: server, cause: .here)
            return
        }
        let sessions = progress.sessions
        await useServer(server, host, demands, until: end, &progress)
        client.rooms.leave(room, reached: progress.sessions > sessions)
    }

    private func useServer(_ server: ServerFacts, _ host: MailHost, _ demands: [TLSDemand], until end: ContinuousClock.Instant, _ progress: inout Progress) async {
        if await useWaiting(server, demands, until: end, &progress) { return }
        let opened: Opened
        do throws(SMTPConnection.Failure) {
            opened = try await open(server, host, demands, until: end)
        } catch {
            note(error, server, &progress)
            return
        }
        progress.sessions += 1
        let open = progress.open
        let report = await transact(opened.connection, open, until: end)
        finish(opened.connection, opened.key)
        take(report, open, opened.connection.server, after: opened.failure, &progress)
    }

    /// A connection that stands, and what TLS had failed with before it was made with less.
    private struct Opened {
        let connection: SMTPConnection
        let key: IdleConnections.Key
        var failure: SessionFailure?
    }

    /// Over a connection that waits for such as this. - Returns: whether the message had its chance; a connection that was
    /// dead already has cost nothing.
    private func useWaiting(_ server: ServerFacts, _ demands: [TLSDemand], until end: ContinuousClock.Instant, _ progress: inout Progress) async -> Bool {
        for demand in demands {
            let key = key(server, demand)
            while let connection = client.idle.take(key) {
                let open = progress.open
                let report = await transact(connection, open, until: end)
                finish(connection, key)
                if report.wasDeadAtStart { continue }
                progress.sessions += 1
                take(report, open, connection.server, &progress)
                return true
            }
        }
        return false
    }

    private func transact(_ connection: SMTPConnection, _ open: [Int], until end: ContinuousClock.Instant) async -> TransactionReport {
        let left = max(.milliseconds(1), ContinuousClock.now.duration(to: end))
        let fit = await message.fitting(connection.extensions)
        return await connection.send(sender.transaction(fit, to: open.map { recipients[$0] }), fit, within: left)
    }

    private func finish(_ connection: SMTPConnection, _ key: IdleConnections.Key) {
        let mayGoOn = connection.isOpen && connection.uses < configuration.reuseLimit && connection.age < configuration.reuseTime
        if mayGoOn { client.idle.put(connection, key) } else { connection.quit() }
    }

    private func key(_ server: ServerFacts, _ demand: TLSDemand) -> IdleConnections.Key {
        IdleConnections.Key(server: server, demand: demand, hop: configuration.credentials[hop] == nil ? nil : hop)
    }

    /// Tries the demands in their order, each on a fresh connection, as long as it is TLS that fails.
    private func open(_ server: ServerFacts, _ host: MailHost, _ demands: [TLSDemand], until end: ContinuousClock.Instant) async throws(SMTPConnection.Failure) -> Opened {
        var failed: SessionFailure?
        for demand in demands.dropLast() {
            do throws(SMTPConnection.Failure) {
                return try await openOne(server, host, demand, after: failed, until: end)
            } catch {
                guard case .session(let failure) = error, failure.isTLS else { throw error }
                failed = failure
            }
        }
        return try await openOne(server, host, demands.last ?? .never, after: failed, until: end)
    }

    private func openOne(_ server: ServerFacts, _ host: MailHost, _ demand: TLSDemand, after failed: SessionFailure?,
                         until end: ContinuousClock.Instant) async throws(SMTPConnection.Failure) -> Opened {
        do throws(SMTPConnection.Failure) {
            let connection = try await SMTPConnection.open(server, parameters(demand, server, host, until: end), group: client.group)
            observe(demand, server, failure: connection.server.tls == nil && demand.use != .never ? .tlsNotOffered : nil)
            return Opened(connection: connection, key: key(server, demand), failure: failed)
        } catch {
            if case .session(let failure) = error, failure.isTLS { observe(demand, server, failure: failure) }
            throw error
        }
    }

    /// A connection in clear that was made so after TLS had failed has been told of already.
    private func observe(_ demand: TLSDemand, _ server: ServerFacts, failure: SessionFailure?) {
        guard demand.use != .never, let told = security.observation(demand.source, server, records: demand.recordLines, failure: failure?.tlsFailure,
                                                                    failure?.description ?? "") else { return }
        client.observe(told)
    }

    private func parameters(_ demand: TLSDemand, _ server: ServerFacts, _ host: MailHost, until end: ContinuousClock.Instant) -> SMTPConnection.Parameters {
        let use = demand.use == .ifOffered && client.tls == nil ? .never : demand.use
        var session = SMTPClientSession.Configuration(heloName: configuration.heloName, tls: use, credentials: configuration.credentials[hop],
                                                      timeouts: configuration.timeouts)
        session.speaksLMTP = host.speaksLMTP
        let local = server.address.flatMap { $0.family == .v4 ? configuration.bindAddress4 : configuration.bindAddress6 }
        return SMTPConnection.Parameters(session: session, tls: client.tls, peer: demand.peer, bindAddress: local,
                                         overall: max(.milliseconds(1), ContinuousClock.now.duration(to: end)))
    }

    private func note(_ failure: SMTPConnection.Failure, _ server: ServerFacts, _ progress: inout Progress) {
        switch failure {
        case .unreachable(let why):
            progress.lastFinding = RecipientResult(.temporary, status: "4.4.1", text: why, server: server, cause: .connection)
        case .session(let failure):
            progress.sessions += 1
            progress.lastFinding = RecipientResult(failure, server)
        }
    }

    /// - Parameter failed: what TLS failed with, when the connection is in clear for that. A server that then wants TLS (530,
    ///   RFC 3207 §4) refuses not the recipient but what we could not do.
    private func take(_ report: TransactionReport, _ open: [Int], _ server: ServerFacts, after failed: SessionFailure? = nil, _ progress: inout Progress) {
        for (index, outcome) in zip(open, report.outcomes) {
            if let failed, server.tls == nil, case .refused(let reply) = outcome, reply.code == 530 {
                progress.results[index] = RecipientResult(failed, server)
                continue
            }
            progress.results[index] = RecipientResult(outcome, server, notifies: report.serverNotifies)
            if case .lost = outcome, report.contentWasSent { progress.mustStop = true }
        }
    }
}
