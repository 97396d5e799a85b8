import MTASTS
import NetworkAddress
import TLS

/// Decides what the TLS of each of a destination's servers must be: our own settings first, then DANE, then MTA-STS, which
/// never overrides DANE (RFC 8461 §2).
struct DestinationSecurity: Sendable {
    let hop: NextHop
    let policy: TLSPolicy
    /// Somebody wrote it down for this destination: then nothing that the domain publishes changes it.
    let isExplicit: Bool
    let requireTLS: Bool
    /// A password follows: not in clear, unless allowed.
    let guardsPassword: Bool
    /// The sender said `TLS-Required: No` (RFC 8689 §5): delivery counts for more than the domain's wishes.
    let ignoresDomain: Bool
    let sts: STSFinding
    let dane: DANELookup

    enum Verdict: Sendable, Hashable {
        /// What to demand; when TLS fails that, the next, on a fresh connection.
        case demands([TLSDemand])
        /// The server must not be used for this message.
        case unfit(UnfitServer)
    }

    /// Why a server is passed over.
    struct UnfitServer: Sendable, Hashable {
        var isPermanent = false
        var status: String
        var text: String
        var cause = RecipientResult.Cause.tls
        /// For reports (RFC 8460 §4.3).
        var failure: TLSFailureKind
        var source: TLSDemand.Source
    }

    /// The one domain whose published policies matter: none for relay hosts and other places of our own choice.
    var domain: DomainName? { if case .mailExchangers(let name, _) = hop { name } else { nil } }

    func verdict(on host: MailHost, _ lookup: HostLookup) async -> Verdict {
        if host.speaksLMTP, !isExplicit { return .demands([.never]) }
        if requireTLS { return await required(host, lookup) }
        switch policy.level {
        case .none: return .demands([.never])
        case .verify, .secure: return .demands([names(host)])
        case .daneOnly: return daneOnly(await dane.records(of: host, lookup, nextHop: domain), host)
        case .may, .encrypt, .dane: break
        }
        if policy.level == .dane, !ignoresDomain {
            switch await dane.records(of: host, lookup, nextHop: domain) {
            case .usable(let hosts, let records): return .demands([TLSDemand(use: .required, peer: .dane(hosts: hosts, records: records), source: .tlsa)])
            case .unusable: return .demands([TLSDemand(use: .required, peer: .anyone, source: .tlsa)])
            case .failed(let why): return .unfit(Self.broken(host, why))
            case .absent: break
            }
        }
        return stsVerdict(host)
    }

    /// Where neither a setting nor DANE says more.
    private var floor: [TLSDemand] { policy.level == .encrypt || guardsPassword ? [.encrypted] : [.opportunistic, .never] }

    private func stsVerdict(_ host: MailHost) -> Verdict {
        guard let published = sts.policy, published.mode != .none else { return .demands(floor) }
        guard case .name(let name) = host.place, published.allows(name) else {
            guard published.mode == .enforce else { return .demands(floor.map { $0.reported(.sts) }) }
            return .unfit(UnfitServer(status: "4.7.5", text: "the MTA-STS policy of \(hop) does not name \(host.name)", failure: .validation, source: .sts))
        }
        // RFC 8461 §4.1: the certificate is for the MX host's name.
        let demand = TLSDemand(use: .required, peer: .names([host.name]), source: .sts)
        return .demands([demand] + (published.mode == .enforce ? [] : floor.map { $0.reported(.sts) }))
    }

    private func names(_ host: MailHost) -> TLSDemand {
        TLSDemand(use: .required, peer: .names(policy.names(host: host.name, nextHop: hop.name?.text ?? host.name)))
    }

    private func daneOnly(_ finding: DANEFinding, _ host: MailHost) -> Verdict {
        switch finding {
        case .usable(let hosts, let records): .demands([TLSDemand(use: .required, peer: .dane(hosts: hosts, records: records), source: .tlsa)])
        case .failed(let why): .unfit(Self.broken(host, why))
        case .absent, .unusable:
            .unfit(UnfitServer(status: "4.7.5", text: "\(host.name) has no usable TLSA records proved by DNSSEC, which dane-only demands",
                               failure: .daneRequired, source: .tlsa))
        }
    }

    /// RFC 8689 §4.2.1: the way to the server must be proved, and the server by its certificate.
    private func required(_ host: MailHost, _ lookup: HostLookup) async -> Verdict {
        switch await dane.records(of: host, lookup, nextHop: domain) {
        case .usable(let hosts, let records): return .demands([TLSDemand(use: .required, peer: .dane(hosts: hosts, records: records), source: .tlsa)])
        case .failed(let why): return .unfit(Self.broken(host, why))
        case .absent, .unusable: break
        }
        if policy.level == .secure || policy.level == .verify { return .demands([names(host)]) }
        let isNamed = if case .name(let name) = host.place { sts.policy?.mode != STSPolicy.Mode.none && sts.policy?.allows(name) == true } else { domain == nil }
        guard host.isProved || isNamed else {
            let text = "REQUIRETLS was asked for, and neither DNSSEC nor MTA-STS proves that \(host.name) serves \(hop)"
            return .unfit(UnfitServer(isPermanent: true, status: "5.7.30", text: text, failure: .validation, source: .none))
        }
        return .demands([TLSDemand(use: .required, peer: .names([host.name]), source: isNamed ? .sts : .none)])
    }

    private static func broken(_ host: MailHost, _ why: String) -> UnfitServer {
        UnfitServer(status: "4.7.5", text: "the TLSA records of \(host.name) cannot be had now: \(why)", cause: .dns, failure: .dnssecInvalid, source: .tlsa)
    }
}

extension TLSDemand {
    func reported(_ source: Source) -> TLSDemand {
        var out = self
        out.source = source
        return out
    }
}
