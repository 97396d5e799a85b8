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

    private struct Progress {
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
        for host in hosts where !isDone(progress, end) {
            if await !tryHost(host, until: end, &progress) { break }
        }
        let missing = progress.lastFinding ?? RecipientResult(.temporary, status: "4.4.1", text: "No host of \(hop) was tried in time")
        return progress.results.map { $0 ?? missing }
    }

    private func isDone(_ progress: Progress, _ end: ContinuousClock.Instant) -> Bool {
        progress.mustStop || progress.open.isEmpty || progress.addresses >= configuration.addressLimit
            || progress.sessions >= configuration.sessionLimit || ContinuousClock.now >= end
    }

    /// - Returns: false when no further host may be tried, because this one is ourselves.
    private func tryHost(_ host: MailHost, until end: ContinuousClock.Instant, _ progress: inout Progress) async -> Bool {
        switch await client.router.addresses(of: host) {
        case .none:
            // Kept only where nothing better is known: another host's silence may pass, this will not.
            progress.lastFinding = progress.lastFinding ?? RecipientResult(.permanent, status: "5.4.4", text: "Host \(host.name) of \(hop) has no address")
        case .temporary(let why):
            progress.lastFinding = RecipientResult(.temporary, status: "4.4.3", text: "Host \(host.name) cannot be looked up now: \(why)")
        case .addresses(let addresses):
            if isOurs(host, addresses) {
                if progress.lastFinding == nil { progress.lastFinding = loopFinding }
                return false
            }
            for address in addresses where !isDone(progress, end) {
                progress.addresses += 1
                await tryServer(ServerFacts(name: host.name, address: address, port: host.port), until: end, &progress)
            }
        }
        return true
    }

    /// An address of ours on the port where we listen. A relay host on another port of this machine is no loop.
    private func isOurs(_ host: MailHost, _ addresses: [IPAddress]) -> Bool {
        host.port == configuration.port && addresses.contains { configuration.ownAddresses.contains($0.unmapped) }
    }

    private var loopFinding: RecipientResult {
        RecipientResult(.permanent, status: "5.4.6", text: "Mail for \(hop) loops back to this server")
    }

    private func tryServer(_ server: ServerFacts, until end: ContinuousClock.Instant, _ progress: inout Progress) async {
        let connection: SMTPConnection
        do throws(SMTPConnection.Failure) {
            connection = try await open(server, until: end)
        } catch {
            note(error, server, &progress)
            return
        }
        progress.sessions += 1
        let open = progress.open
        let report = await connection.send(sender.transaction(message, to: open.map { recipients[$0] }), message)
        connection.quit()
        take(report, open, connection.server, &progress)
    }

    private func open(_ server: ServerFacts, until end: ContinuousClock.Instant) async throws(SMTPConnection.Failure) -> SMTPConnection {
        // RFC 8689 §4.2.1: REQUIRETLS wants a server whose name is proved.
        let level = sender.requireTLS ? .verify : configuration.tlsLevel(for: hop)
        do throws(SMTPConnection.Failure) {
            return try await SMTPConnection.open(server, parameters(level, server, until: end), group: client.group)
        } catch .session(.tlsFailed(let why)) {
            // As Postfix's `may`: a handshake that fails is tried once more in clear, on a fresh connection.
            guard level == .may else { throw .session(.tlsFailed(why)) }
            return try await SMTPConnection.open(server, parameters(.none, server, until: end), group: client.group)
        }
    }

    private func parameters(_ level: SMTPClientConfiguration.TLSLevel, _ server: ServerFacts, until end: ContinuousClock.Instant) -> SMTPConnection.Parameters {
        let use: SMTPClientSession.TLSUse = switch level {
        case .none: .never
        case .may: client.tls == nil ? .never : .ifOffered
        case .encrypt, .verify: .required
        }
        let session = SMTPClientSession.Configuration(heloName: configuration.heloName, tls: use, credentials: configuration.credentials[hop],
                                                      timeouts: configuration.timeouts)
        let local = server.address.family == .v4 ? configuration.bindAddress4 : configuration.bindAddress6
        return SMTPConnection.Parameters(session: session, tls: client.tls, verify: level == .verify, bindAddress: local,
                                         overall: max(.milliseconds(1), ContinuousClock.now.duration(to: end)))
    }

    private func note(_ failure: SMTPConnection.Failure, _ server: ServerFacts, _ progress: inout Progress) {
        switch failure {
        case .unreachable(let why):
            progress.lastFinding = RecipientResult(.temporary, status: "4.4.1", text: why, server: server)
        case .session(let failure):
            progress.sessions += 1
            progress.lastFinding = Self.result(failure, server)
        }
    }

    private func take(_ report: TransactionReport, _ open: [Int], _ server: ServerFacts, _ progress: inout Progress) {
        for (index, outcome) in zip(open, report.outcomes) {
            progress.results[index] = Self.result(outcome, server, notifies: report.serverNotifies)
            if case .lost = outcome, report.contentWasSent { progress.mustStop = true }
        }
    }

    private static func result(_ outcome: RecipientOutcome, _ server: ServerFacts, notifies: Bool) -> RecipientResult {
        switch outcome {
        case .accepted(let reply):
            RecipientResult(.delivered, status: reply.enhancedCode ?? "2.0.0", text: reply.text, reply: reply, server: server, serverNotifies: notifies)
        case .refused(let reply):
            RecipientResult(reply.isPermanent ? .permanent : .temporary, status: reply.enhancedCode ?? (reply.isPermanent ? "5.0.0" : "4.0.0"),
                            text: reply.text, reply: reply, server: server)
        case .impossible(let status, let text): RecipientResult(.permanent, status: status, text: text, server: server)
        case .lost(let failure): result(failure, server)
        }
    }

    /// A session's failure is never final: greetings with 5xx concern the server's state, not the recipient (Postfix's
    /// `smtp_skip_5xx_greeting`), and log-in or TLS can be put right by the administrator while the message waits.
    private static func result(_ failure: SessionFailure, _ server: ServerFacts) -> RecipientResult {
        RecipientResult(.temporary, status: failure.status, text: failure.description, reply: failure.reply, server: server)
    }
}
