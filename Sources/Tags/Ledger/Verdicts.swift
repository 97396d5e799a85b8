import NetworkAddress

/// Verdicts on one tag, each with its sentence.
struct Verdicts {
    let tag: TagAddress
    let entry: TagEntry?

    private var owners: [TagOwner] { entry?.owners ?? [] }

    func verdict(_ opinion: Opinion) -> TagVerdict {
        switch opinion.finding {
        case .guessed: verdict(.guessed, "The \(tag) looks minted, but its check part is wrong: somebody guessed it.")
        case .closed:
            entry?.state == .revoked ? verdict(.revoked, "The \(tag) is revoked.") : verdict(.blocked, "The \(tag) is blocked.")
        case .binds(let party): verdict(.new, "First mail to the \(tag): it now belongs to \(proven(party)).", owners: [party.domain])
        case .belongs(let party): verdict(.match, "\(proven(party)), is an owner of the \(tag)\(opinion.isDirect ? "" : "; the message was passed on").")
        case .leaks(let party): verdict(.leaked, "\(proven(party)), used the \(tag), which \(belonging(party)).", offender: party.domain)
        case .provesNothing(let reason): verdict(.unverified, sentence(reason))
        }
    }

    private func verdict(_ status: TagStatus, _ explanation: String, offender: DomainName? = nil, owners named: [DomainName]? = nil) -> TagVerdict {
        TagVerdict(status: status, tag: tag, owners: named ?? owners.map(\.domain), offender: offender, explanation: explanation)
    }

    private func sentence(_ reason: Opinion.Reason) -> String {
        switch reason {
        case .unauthenticated:
            "No sending domain was authenticated, which proves nothing; the \(tag) \(belonging())."
        case .claimsOwner(let party):
            "The mail to the \(tag) is in an owner's name, but only \(proven(party)), was found: allow \(party.domain) if it writes for the owner."
        case .passedOn(let party):
            "\(proven(party)), had a hand in mail to the \(tag) that a forwarder or a list passed on, which proves nothing; the tag \(belonging())."
        case .exempted(let why):
            "A rule exempts this mail to the \(tag)\(why.isEmpty ? "" : " (\(why))"); the tag \(belonging())."
        case .refused(let party):
            "\(proven(party)), wrote to the new \(tag), but the message was refused; nothing was bound."
        case .tooMany(let party):
            "\(party.domain) wrote to the new \(tag), but too many tags of that address were learned lately; nothing was bound."
        }
    }

    private func proven(_ party: SenderIdentity.Party) -> String { "\(party.domain), authenticated by \(party.method.rawValue.uppercased())" }

    private func belonging(_ party: SenderIdentity.Party? = nil) -> String {
        guard !owners.isEmpty else {
            return party.map { entry?.refused.contains($0.domain) == true } == true ? "its owner refused to it" : "belongs to nobody yet"
        }
        let guess = owners.allSatisfy { $0.origin == .learned } ? ", who wrote first" : ""
        return "belongs to " + owners.map(\.domain.text).joined(separator: " and ") + guess
    }
}
