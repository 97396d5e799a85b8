import DMARC
import InternetMessage
import MTASTS
import NetworkAddress

extension Known {
    static let publication: [any AnySetting] = [
        publicAddresses, publishDMARCPolicy, publishDMARCReports, publishTLSReports, publishSTSMode, checkBlocklists, checkPortDomain,
    ]

    public static let publicAddresses = Setting("public_addresses", [IPAddress](),
        "The addresses at which the world reaches this server, for `postern dns`. Empty: those of its interfaces that are public.")
    public static let publishDMARCPolicy = Setting("publish.dmarc_policy", Choice(DMARCPolicy.quarantine),
        "The policy in the DMARC record that `postern dns records` prints. Begin with `none` where other machines send for the domain, too.")
    public static let publishDMARCReports = Setting("publish.dmarc_reports", "", "Where DMARC aggregate reports are to go: the address in the record's `rua`. Empty: nowhere.",
        wanted: "an address such as \"dmarc@example.org\", or \"\"", isFit: isAddressOrEmpty)
    public static let publishTLSReports = Setting("publish.tls_reports", "", "Where reports on failed encryption are to go (RFC 8460). Empty: nowhere.",
        wanted: "an address such as \"tlsrpt@example.org\", or \"\"", isFit: isAddressOrEmpty)
    public static let publishSTSMode = Setting("publish.mta_sts_mode", Choice(STSPolicy.Mode.testing),
        "While `mta_sts_mode` is `off`: the mode in the MTA-STS policy that `postern dns records` prints for whoever serves it; `none`: no such record.")
    public static let checkBlocklists = Setting("dns_check.blocklists", ["zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "psbl.surriel.com"].compactMap { DomainName($0) },
        "Lists of bad senders that `postern dns check` asks for our addresses (RFC 5782).")
    public static let checkPortDomain = Setting("dns_check.port_25_domain", DomainName("gmail.com") ?? .root,
        "The domain whose MX hosts `postern dns check` connects to, to see whether port 25 is open outward.")

    @Sendable private static func isAddressOrEmpty(_ text: String) -> Bool { text.isEmpty || EmailAddress(text)?.domainName != nil }
}

extension IPAddress: SettingValue {
    public static var typeName: String { "address" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, let address = IPAddress(text) else { throw SettingMismatch("an address such as \"192.0.2.1\" or \"2001:db8::1\"") }
        self = address
    }
    public var tomlText: String { description.tomlText }
}
