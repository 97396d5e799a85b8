extension Known {
    static let tls: [any AnySetting] = [
        certFile, keyFile, tlsServerSNIMaps,
    ]

    public static let certFile = Setting(live: "smtpd_tls_cert_file", FilePath(""),
        "Certificate chain (PEM), as certbot's `fullchain.pem`. Used by SMTP and IMAP. Empty: no TLS, and so no log-in.")
    public static let keyFile = Setting(live: "smtpd_tls_key_file", FilePath(""), "Its private key (PEM), as certbot's `privkey.pem`. Empty: it is in the certificate's file.")
    public static let tlsServerSNIMaps = Setting(live: "tls_server_sni_maps", KeyedTable<SNIEntry>(),
        "Certificates for other names, by the name that a client asks for, or `.domain` for every name below it: files as Postfix's `tls_server_sni_maps` has them, the key first. Other names get `smtpd_tls_cert_file`. See [certificates.md](certificates.md).")
}
