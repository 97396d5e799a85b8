import Accounts
import Aliases
import Foundation
import InternetMessage
import NetworkAddress

/// Where an address's mail goes in the end.
struct MailPlace: Hashable {
    enum Kind: Hashable {
        /// By name.
        case account(String)
        case remote
    }

    let address: EmailAddress
    let kind: Kind
    /// `owner-LIST`, when a list with an owner led here.
    var owner: EmailAddress?
    /// Whether an alias, or the reversal of a rewritten sender, led here.
    var isMapped = false
}

extension AddressBook {
    /// Follows the aliases of an address of ours to accounts and to addresses elsewhere. Targets here that nobody has are
    /// left out: what is refused at RCPT never has to be returned later.
    /// - Parameter sender: of the message; an address that stands for a rewritten sender takes only what has none.
    /// - Returns: empty when nothing of it can be delivered.
    /// - Throws: ``ExpansionError``, or that accounts cannot be read now.
    func destinations(of address: EmailAddress, from sender: EmailAddress?) throws -> [MailPlace] {
        if let srs = tables?.srs, srs.concerns(address), try !hasMailbox(address) {
            guard sender == nil, let first = srs.reverse(address, now: Int(Date().timeIntervalSince1970)) else { return [] }
            guard isLocal(first) else { return [MailPlace(address: first, kind: .remote, isMapped: true)] }
            return try expanded(first).map { MailPlace(address: $0.address, kind: $0.kind, owner: $0.owner, isMapped: true) }
        }
        return try expanded(address)
    }

    private func hasMailbox(_ address: EmailAddress) throws -> Bool {
        if case .account = try owner(of: address) { return true }
        return false
    }

    private func expanded(_ address: EmailAddress) throws -> [MailPlace] {
        guard let expansion = try tables?.expander.expand(named(address)), expansion.isMapped else {
            return try place(.init(address)).map { [$0] } ?? []
        }
        return try expansion.targets.compactMap { target in
            guard var place = try place(target) else { return nil }
            (place.owner, place.isMapped) = (target.owner, true)
            return place
        }
    }

    /// Under which address the tables know it: `postmaster` at this host is the one of `mydestination`.
    private func named(_ address: EmailAddress) -> EmailAddress {
        guard isRole(address), !isLocal(address), let rules = tables?.expander.rules else { return address }
        return EmailAddress(localPart: address.localPart, domain: rules.origin)
    }

    /// The targets of an alias that nobody has, for `postern check`.
    func lostTargets(of address: EmailAddress) throws -> (targets: [EmailAddress], isAll: Bool) {
        guard let targets = try tables?.expander.expand(address).targets else { return ([], false) }
        let lost = try targets.filter { try place($0) == nil }
        return (lost.map(\.address), lost.count == targets.count)
    }

    private func place(_ target: Expansion.Target) throws -> MailPlace? {
        switch try target.isName ? owner(ofName: target.address) : owner(of: target.address) {
        case .account(let account, _, _): return MailPlace(address: target.address, kind: .account(account.name))
        case .elsewhere: return MailPlace(address: target.address, kind: .remote)
        case .nobody: return try catchAllAccount(of: target.address).map { MailPlace(address: target.address, kind: .account($0.name)) }
        }
    }

    /// Whom to tell of mail with this sender: the first sender, where we rewrote it.
    func author(behind sender: EmailAddress) -> EmailAddress {
        guard let srs = tables?.srs, srs.concerns(sender) else { return sender }
        return srs.reverse(sender, now: Int(Date().timeIntervalSince1970)) ?? sender
    }

    /// Whether an account may write as an address: its own, with any tag, or an alias or catch-all that leads to it and to
    /// nobody else. A log-in name that is not one of our accounts (Postfix's own users, when we are its milter) is
    /// Postfix's to judge.
    func mayWrite(_ account: String, as address: EmailAddress) -> Bool {
        do {
            guard let known = try accounts.account(named: account) else { return true }
            let base = address.splittingDetail(delimiters: delimiters).base
            if known.owns(address) || known.owns(base) { return true }
            guard isLocal(address) else { return false }
            return try destinations(of: address, from: address).map(\.kind) == [.account(known.name)]
        } catch { return false }
    }
}
