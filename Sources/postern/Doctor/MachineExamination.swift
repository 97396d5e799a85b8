import BlockingPool
import Checkup
import DNS
import Foundation
import NetworkAddress
import PosternDaemon
import TLS

/// What `postern doctor` looks at on the machine itself, as the settings name it.
struct MachineExamination: Sendable {
    private let settings: Settings
    private let file: String
    private let pool = BlockingPool(threads: 4, name: "machine")
    /// Whether a server answers on its control socket.
    let isRunning: Bool

    init(_ settings: Settings, file: String) {
        self.settings = settings
        self.file = file
        isRunning = EndpointProbe.answers(.unix(settings[Known.dataDirectory].path + "/control"))
    }

    func tasks(_ checkup: DNSCheckup) -> [CheckTask] {
        let now = Int64(Date().timeIntervalSince1970)
        return [
            blocking("settings, rules, keys") { self.settingsFindings() },
            blocking("ports") { PortCheck(self.listeners, isRunning: self.isRunning).run() },
            blocking("files") { self.files() },
            blocking("disk") { DiskCheck(path: self.settings[Known.dataDirectory].path, minimum: self.settings[Known.queueMinfree]).run() },
            CheckTask("clock", .safety) { await self.clock(checkup, now) },
            CheckTask("resolver", .safety) { await self.resolver(checkup) },
            blocking("systemd unit") { UnitCheck().run() },
        ] + certificates(checkup, now)
    }

    private func blocking(_ title: String, _ work: @escaping @Sendable () -> [CheckFinding]) -> CheckTask {
        CheckTask(title, .safety) { [pool] in
            do { return try await pool.run(work) } catch { return [CheckFinding("machine", title, .unknown, .safety, "\(error)")] }
        }
    }

    private func settingsFindings() -> [CheckFinding] {
        do {
            let notes = try LiveParts.check(settings)
            let findings = notes.map { CheckFinding("settings", file, .note, .minor, $0.hasPrefix("note: ") ? String($0.dropFirst(6)) : $0) }
            return findings.isEmpty ? [CheckFinding("settings", file, .ok, .safety, "settings, rules and keys are well")] : findings
        } catch {
            return [CheckFinding("settings", file, .wrong, .safety, "\(error)", remedy: "mend it; postern check looks again", why: "the server does not start, or refuses its next reload")]
        }
    }

    private func clock(_ checkup: DNSCheckup, _ now: Int64) async -> [CheckFinding] {
        let data = settings[Known.dataDirectory].path
        let check = ClockCheck(files: [file, data, data + "/queue", data + "/accounts.sqlite"], now: now)
        let signatures = await ClockCheck.signatures(of: .root, checkup.view.resolver)
        return (try? await pool.run { check.run(signatures: signatures) }) ?? []
    }

    private func resolver(_ checkup: DNSCheckup) async -> [CheckFinding] {
        await ResolverCheck(resolver: checkup.view.resolver, name: settings[Known.myhostname], validates: !settings[Known.dnsTrustAnchorFile].isEmpty).run()
    }

    // MARK: Files

    private func files() -> [CheckFinding] {
        guard let user = FileAccess.User.named(settings[Known.user]) else {
            return [CheckFinding("user", settings[Known.user], .wrong, .safety, "user = \"\(settings[Known.user])\": there is no such user",
                                 remedy: "useradd --system --home-dir / --shell /usr/sbin/nologin \(settings[Known.user])")]
        }
        let data = settings[Known.dataDirectory].path
        let key = settings.certificateFiles?.key ?? "", certificate = settings.certificateFiles?.certificate ?? ""
        let signing = settings[Known.dkimKeys].map(\.keyFile.path)
        // certbot's keys are given to a group, as ssl-cert.
        let secrets = [FileChecks.Secret(key, groupMayRead: true)]
            + (signing + [settings[Known.smtpSASLPasswordFile].path, data + "/tag-minting.key", data + "/accounts.sqlite", data + "/srs.secret"]).filter { !$0.isEmpty }.map { .init($0) }
        let readables = ([certificate, key, settings[Known.policyDirectory].path, settings[Known.smtpSASLPasswordFile].path] + signing).filter { !$0.isEmpty }
        return FileChecks(user: user, dataDirectory: data, secrets: secrets, readables: readables).run()
    }

    // MARK: Certificates

    /// The files, and what the ports of this machine show: a server that was not told to reload shows the old one.
    private func certificates(_ checkup: DNSCheckup, _ now: Int64) -> [CheckTask] {
        let host = settings[Known.myhostname]
        guard let files = settings.certificateFiles else { return [] }
        let check = CertificateFileCheck(certificate: files.certificate, key: files.key, host: host, trust: checkup.options.trust, now: now)
        let paths = blocking("certificate") { check.run() + check.keyFindings() }
        guard isRunning else { return [paths] }
        return [paths, blocking("certificates of the ports") { check.shown(Self.shownPorts(self.settings).map { ($0, self.local($0)) }) }]
    }

    private static func shownPorts(_ settings: Settings) -> [CertificatePort] { CheckupOptions.ports(settings, includingLoopback: true) }

    private func local(_ port: CertificatePort) -> IPAddress {
        let listener = listeners.first { $0.port == port.port }
        return listener?.address ?? .v4Loopback
    }

    // MARK: Listeners and doors

    private static func listeners(_ settings: Settings) -> [(kind: Door.Kind, listener: ListenAddress)] {
        let hasTLS = settings.hasCertificate
        let groups: [(Door.Kind, [ListenAddress])] = [
            (.smtp, settings[Known.listenSMTP]),
            // Without a certificate nobody can log in, and these are not served.
            (.submission, hasTLS ? settings[Known.listenSubmission] : []), (.submissions, hasTLS ? settings[Known.listenSubmissions] : []),
            (.imap, settings[Known.listenIMAP]), (.imaps, hasTLS ? settings[Known.listenIMAPS] : []),
        ]
        return groups.flatMap { kind, all in all.map { (kind, $0) } }
    }

    private var listeners: [PortCheck.Listener] {
        Self.listeners(settings).map { PortCheck.Listener(name: $0.kind.rawValue, address: $0.listener.single, port: UInt16(clamping: $0.listener.port)) }
    }

    static func doors(_ settings: Settings, file: String) -> [Door] {
        let hasTLS = settings.hasCertificate
        var out: [Door] = []
        for (kind, listener) in listeners(settings) where hasTLS || kind == .smtp {
            guard !out.contains(where: { $0.kind == kind }) else { continue }
            out.append(Door(kind, .inet(listener.single ?? .v4Loopback, UInt16(clamping: listener.port))))
        }
        if let lmtp = settings[Known.listenLMTP].first { out.append(Door(.lmtp, place(lmtp))) }
        if let milter = MilterPlace.read(settings[Known.listenMilter]) { out.append(Door(.milter, milter)) }
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        out.append(Door(.sendmail, .program([program, "sendmail", "-C", file, "-i", "-f", "postern-doctor@postern-doctor.invalid", "--"])))
        return out
    }

    private static func place(_ socket: SocketSetting) -> Door.Place {
        switch socket {
        case .unix(let path): .unix(path)
        case .inet(let address): .inet(address.single ?? .v4Loopback, UInt16(clamping: address.port))
        }
    }
}

/// Where our milter listens, by either of the spellings that the setting takes.
enum MilterPlace {
    static func read(_ spec: String) -> Door.Place? {
        if spec.hasPrefix("/") { return .unix(spec) }
        let parts = spec.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        if parts[0] == "unix" || parts[0] == "local" { return .unix(parts[1]) }
        let pieces: (port: Substring, host: Substring)
        if let at = parts[1].firstIndex(of: "@") {
            pieces = (parts[1][..<at], parts[1][parts[1].index(after: at)...])
        } else if let colon = parts[1].lastIndex(of: ":") {
            pieces = (parts[1][parts[1].index(after: colon)...], parts[1][..<colon])
        } else {
            pieces = (parts[1][...], "localhost")
        }
        guard let port = UInt16(pieces.port) else { return nil }
        let host = pieces.host.filter { !"[]".contains($0) }
        guard host != "localhost" else { return .inet(parts[0] == "inet6" ? .v6Loopback : .v4Loopback, port) }
        return IPAddress(host).map { .inet($0, port) }
    }
}

extension ListenAddress {
    /// nil for every address, however it is written.
    var single: IPAddress? { host.flatMap { $0.octets.allSatisfy { $0 == 0 } ? nil : $0 } }
}
