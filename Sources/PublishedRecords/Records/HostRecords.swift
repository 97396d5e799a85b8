import NetworkAddress

/// What the host itself needs, whatever domains it serves.
enum HostRecords {
    static func make(_ setup: MailSetup) -> [WantedRecord] {
        addresses(setup) + reverse(setup) + [helo(setup), tlsa(setup)].compactMap { $0 }
    }

    private static func addresses(_ setup: MailSetup) -> [WantedRecord] {
        setup.addresses.map {
            WantedRecord(.address, nil, setup.hostname, .address($0), .required, why: "where other servers and mail clients connect")
        }
    }

    private static func reverse(_ setup: MailSetup) -> [WantedRecord] {
        setup.sources.compactMap { address in
            guard let name = DomainName(address.reverseName) else { return nil }
            return WantedRecord(.reverse, nil, name, .pointer(setup.hostname), .required,
                                why: "large receivers refuse mail from an address whose name does not lead back to it; whoever lends you the address sets this", place: .provider)
        }
    }

    /// The HELO identity (RFC 7208 §2.3): bounces have no other domain to be checked.
    private static func helo(_ setup: MailSetup) -> WantedRecord? {
        guard !setup.domains.contains(setup.hostname), setup.relay == nil, !setup.sources.isEmpty || setup.addresses.isEmpty else { return nil }
        return WantedRecord(.spf, nil, setup.hostname, .text(SPFText.host(setup)), .recommended,
                            why: "bounces have no sender: receivers check the name in our EHLO instead (RFC 7208 section 2.3)")
    }

    /// `3 1 1`: the key itself, whoever signed the certificate (RFC 7672 §3.1).
    private static func tlsa(_ setup: MailSetup) -> WantedRecord? {
        guard let digest = setup.certificateKeyDigest, let name = setup.hostname.prepending("_25._tcp") else { return nil }
        return WantedRecord(.tlsa, nil, name, .tlsa(usage: 3, selector: 1, matchingType: 1, data: digest), .optional,
                            why: "DANE (RFC 7672): servers that look it up send only to the holder of this key, so renew the certificate with the same key, or publish the next key's record beforehand",
                            condition: "only in a zone that is signed with DNSSEC: elsewhere nobody may believe it")
    }
}
