import NetworkAddress

extension Known {
    static let addresses: [any AnySetting] = [
        aliasMaps, virtualAliasMaps, virtualAliases, virtualAliasDomains, catchAll, propagateExtensions, virtualRecursionLimit,
        virtualExpansionLimit, srs, srsDomain, srsSecretsFile,
    ]

    public static let aliasMaps = Setting(live: "alias_maps", [TableSetting](),
        "Files in the syntax of `/etc/aliases` (aliases(5)): names in the domains of `mydestination` and where their mail goes. Commands and files as targets are errors.")
    public static let virtualAliasMaps = Setting(live: "virtual_alias_maps", [TableSetting](),
        "Files in the syntax of Postfix's virtual(5): addresses, or `@domain`, and where their mail goes. An `@domain` line takes the accounts' addresses too; see `catch_all`.")
    public static let virtualAliases = Setting(live: "virtual_aliases", VirtualAliasSetting(),
        "The same in this file: `\"sales@example.org\" = \"alice@example.org, bob@example.net\"` below `[virtual_aliases]`. It is looked up before `virtual_alias_maps`.")
    public static let virtualAliasDomains = Setting(live: "virtual_alias_domains", [DomainName](),
        "Domains of ours beside `mydestination` in which `alias_maps` do not hold; so is each that has a line of its own in a virtual alias table.")
    public static let catchAll = Setting(live: "catch_all", CatchAllSetting(),
        "For a domain, the account that gets what no account, alias or postmaster there takes: `{ \"example.org\" = \"alice@example.org\" }`. Each such address is a tag of `*@example.org`.")
    public static let propagateExtensions = Setting(live: "propagate_unmatched_extensions", [Choice(ExtensionPropagation.canonical), Choice(.virtual)],
        "Whether `user+x`, looked up as `user`, hands `+x` on to the result: `virtual`, `alias`.")
    public static let virtualRecursionLimit = Setting(live: "virtual_alias_recursion_limit", 1000, "How deep aliases may be nested.",
        wanted: "from 1 to 10000") { (1...10_000).contains($0) }
    public static let virtualExpansionLimit = Setting(live: "virtual_alias_expansion_limit", 1000, "Addresses that one address may lead to.",
        wanted: "from 1 to 100000") { (1...100_000).contains($0) }
    public static let srs = Setting(live: "srs", true,
        "Whether mail that an alias forwards to another server gets a sender of `srs_domain` (Sender Rewriting Scheme), so that SPF holds there; what comes back goes on to the first sender.")
    public static let srsDomain = Setting(live: "srs_domain", "",
        "The domain of such senders; its SPF record must name this server. Empty: the first of `mydestination`, else `myhostname`.",
        wanted: "a domain name such as \"example.org\"") { $0.isEmpty || DomainName($0)?.isHostName == true }
    public static let srsSecretsFile = Setting(live: "srs_secrets_file", FilePath(""),
        "File of the secrets for such senders, one on each line, the newest first; postsrsd's will do. Empty: `srs.secret` in `data_directory`, made at the first start.")
}
