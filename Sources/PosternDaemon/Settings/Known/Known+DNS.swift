import NetworkAddress

extension Known {
    static let dns: [any AnySetting] = [
        dnsForwarders, dnsTrustAnchorFile, dnsTimeout, dnsZoneFile, dnsOffline,
    ]

    public static let dnsForwarders = Setting("dns.forwarders", [String](),
        "Resolvers to ask, `address` or `address@port`. Empty: those of /etc/resolv.conf.",
        wanted: "addresses such as \"192.0.2.53\" or \"127.0.0.1@5353\"") { $0.allSatisfy(isResolver) }
    public static let dnsTrustAnchorFile = Setting("dns.trust_anchor_file", FilePath(""),
        "The root's DNSSEC key, as Debian's `/usr/share/dns/root.key`. Empty: nothing is validated.")
    public static let dnsTimeout = Setting("dns.timeout", TimeSpan(seconds: 10), "How long one look-up may take.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let dnsZoneFile = Setting("dns.zone_file", FilePath(""),
        "Records answered from this file instead of the DNS, one `name TYPE data` a line. For tests.")
    public static let dnsOffline = Setting("dns.offline", false, "Ask no other server: only the zone file answers. For tests.")

    @Sendable private static func isResolver(_ text: String) -> Bool {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        return IPAddress(parts[0]) != nil && (parts.count == 1 || UInt16(parts[1]).map { $0 > 0 } == true)
    }
}
