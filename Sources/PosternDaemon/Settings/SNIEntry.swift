import NetworkAddress

/// One entry of `tls_server_sni_maps`: the files of a certificate chain, as Postfix's map has them.
public struct SNIEntry: TableEntry {
    /// Absolute; together a key, its certificate and the issuers, perhaps more than once.
    public let files: [String]

    public init?(_ text: String) {
        files = text.split { $0 == "," || $0.isWhitespace }.map(String.init)
        guard !files.isEmpty, files.allSatisfy({ $0.hasPrefix("/") && !$0.utf8.contains(0) }) else { return nil }
    }

    public var text: String { files.joined(separator: ", ") }
    public static var typeName: String { "certificate files" }
    public static var wantedKey: String { "a host name, or \".domain\" for every name below it" }
    public static var wantedValue: String { "absolute paths with commas between: the key first, then its certificate and issuers, \"/etc/letsencrypt/live/mail.example.net/privkey.pem, /etc/letsencrypt/live/mail.example.net/fullchain.pem\"" }
    public static func key(_ text: String) -> String? { DomainKey.form(text) }
}
