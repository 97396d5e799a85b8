import Accounts
import Foundation
import InternetMessage
import NetworkAddress
import Tags

/// The tag ledger as a command opens it, beside a server that may be running: with the words of the settings for
/// addresses. Started as root, the process becomes `user` first. Everything blocks.
public struct TagDesk: Sendable {
    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    public let ledger: TagLedger
    private let book: AddressBook
    private let accounts: AccountStore
    private let delimiter: String

    /// - Throws: what cannot be opened, in words for an operator.
    public init(_ settings: Settings) throws {
        // First, while root may read what `user` cannot.
        let tables = try AddressTables(settings, srsSecrets: [])
        let data = try LiveParts.enterDataFolder(settings)
        ledger = try TagLedger(path: data + "/tags.sqlite", mintingKey: try MintingKey.load(data + "/tag-minting.key"))
        accounts = try LiveParts.accounts(at: data + "/accounts.sqlite", settings)
        book = AddressBook(settings, accounts: accounts, tables: tables)
        delimiter = settings[Known.recipientDelimiter].prefix(1).description
    }

    /// The tag in an address as people write it. An address whose account is gone still names its tag.
    public func tag(_ text: String) throws -> TagAddress {
        let address = try self.address(text)
        if let tag = book.tag(in: address) { return tag }
        let (base, detail) = address.splittingDetail(delimiters: book.delimiters)
        guard let detail, !detail.isEmpty else {
            // Of a catch-all that is gone.
            let tag = address.domainName.map { TagAddress(localPart: address.localPart, inCatchAll: $0) }
            if let tag, try ledger.show(tag) != nil { return tag }
            guard !delimiter.isEmpty else { throw Problem(description: "recipient_delimiter is empty, so no address has a tag") }
            throw Problem(description: "\(address) has no tag: write it with one, such as \(address.localPart)\(delimiter)shop@\(address.domainText)")
        }
        return TagAddress(base: base, detail: detail)
    }

    /// The address that bears the tag.
    public func address(of tag: TagAddress) -> String {
        let localPart = tag.isOfCatchAll ? tag.detail : tag.base.localPart + delimiter + tag.detail
        return EmailAddress(localPart: localPart, domain: tag.base.domain).description
    }

    /// What whoever changes a tag should know: that the server sees it in no address. nil when it does.
    public func remark(on tag: TagAddress) -> String? {
        let text = address(of: tag)
        guard let address = EmailAddress(text), book.tag(in: address) == nil else { return nil }
        return "note: nobody here has \(text) now: its mail, if any comes, is not judged"
    }

    /// Whose tag is minted: the address given, or that of the only account; `@example.org` for a domain's catch-all.
    public func base(_ text: String?) throws -> EmailAddress {
        if let text, text.hasPrefix("@"), let domain = DomainName(text.dropFirst()) {
            guard case let probe = EmailAddress(localPart: "postern-tag-probe", domain: domain), book.tag(in: probe)?.isOfCatchAll == true else {
                throw Problem(description: "no catch-all takes the addresses of \(domain)")
            }
            return TagAddress(localPart: "", inCatchAll: domain).base
        }
        guard !delimiter.isEmpty else { throw Problem(description: "recipient_delimiter is empty, so no address can have a tag") }
        guard let text else {
            let all = try accounts.list()
            guard all.count == 1, let only = all.first?.addresses.first else {
                throw Problem(description: all.isEmpty ? "there is no account: make one with postern account add, or say --for ADDRESS" : "there are \(all.count) accounts: say --for ADDRESS")
            }
            return only
        }
        let address = try self.address(text)
        if case .account(_, let base, _) = try book.owner(of: address) { return base }
        guard book.tables?.expander.names(address) == true else { throw Problem(description: "\(address) is neither an account's address nor an alias here") }
        return address
    }

    /// Tags whose addresses look like that one, the nearest first.
    public func near(_ tag: TagAddress, nearest: (String, [String]) -> String?) throws -> [String] {
        let known = try ledger.list(limit: 10_000).map(\.tag)
        let ofBase = known.filter { $0.base == tag.base }.map(\.detail)
        if let detail = nearest(tag.detail, ofBase) { return [address(of: TagAddress(base: tag.base, detail: detail))] }
        let elsewhere = known.filter { $0.detail == tag.detail }.map { address(of: $0) }
        if !elsewhere.isEmpty { return Array(elsewhere.prefix(3)) }
        return nearest(address(of: tag), known.map { address(of: $0) }).map { [$0] } ?? []
    }

    public func address(_ text: String) throws -> EmailAddress {
        guard let address = EmailAddress(text), address.domainName != nil else {
            throw Problem(description: "\"\(text)\" is not an address such as alice\(delimiter)shop@example.org")
        }
        return address
    }
}
