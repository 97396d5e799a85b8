import COpenSSL

/// Whose signatures a client believes.
public enum TLSTrust: Sendable, Hashable {
    /// The distribution's CA certificates.
    case system
    /// A PEM file of CA certificates.
    case file(String)
    /// Nobody's: for connections that do not verify, and for DANE.
    case nobody
}

/// What a client demands of the server's certificate. Per connection.
public enum TLSVerification: Sendable, Hashable {
    /// Encrypt to whoever answers (RFC 7435): against listeners only.
    case none
    /// A chain to a trusted CA, and this host name in the certificate.
    case full(host: String)
    /// A chain to a trusted CA, and one of these names in the certificate; `.example.org` stands for every name below.
    case names([String])
    /// DANE (RFC 7672): one of the TLSA records matches. With usage 2 the certificate bears one of the hosts, with
    /// usage 3 names and dates do not count (§3.1.1).
    case dane(hosts: [String], records: [TLSARecord])
}

/// A TLSA record's fields (RFC 6698 §2.1).
public struct TLSARecord: Sendable, Hashable {
    public let usage: UInt8
    public let selector: UInt8
    public let matchingType: UInt8
    public let data: [UInt8]

    public init(usage: UInt8, selector: UInt8, matchingType: UInt8, data: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matchingType = matchingType
        self.data = data
    }
}

extension TLSContext {
    /// A context for opening connections; one serves all of them. Reads files; blocks.
    /// - Parameters:
    ///   - legacyCiphers: also accept what opportunistic encryption still meets (RSA key exchange, CBC): weak encryption
    ///     beats none when the alternative is clear text. Leave it off where verification is demanded.
    /// - Throws: ``TLSError/file(path:problem:)``, ``TLSError/configuration(_:)``.
    public static func client(
        trust: TLSTrust = .system, minimumVersion: TLSVersion = .v1_2, legacyCiphers: Bool = false
    ) throws(TLSError) -> TLSContext {
        let handle = try ContextHandle(isServer: false, minimumVersion: minimumVersion)
        try handle.setCiphers(legacyCiphers ? "DEFAULT@SECLEVEL=1" : Intermediate.ciphers)
        try handle.setTrust(trust)
        guard SSL_CTX_dane_enable(handle.pointer) > 0 else { throw .configuration("OpenSSL cannot do DANE") }
        return TLSContext(handle: handle, isServer: false)
    }
}

extension ContextHandle {
    func setTrust(_ trust: TLSTrust) throws(TLSError) {
        OpenSSLErrors.clear()
        switch trust {
        case .nobody: return
        case .system:
            guard SSL_CTX_set_default_verify_paths(pointer) == 1 else { throw .configuration("CA certificates: \(OpenSSLErrors.take())") }
        case .file(let path):
            try PEMFile.check(path, isSecret: false)
            guard SSL_CTX_load_verify_locations(pointer, path, nil) == 1 else {
                throw .file(path: path, problem: "holds no CA certificate in PEM form (\(OpenSSLErrors.take()))")
            }
        }
    }
}

extension TLSVerification {
    /// Sets a new client connection up to demand this.
    func apply(to ssl: OpaquePointer) throws(TLSError) {
        OpenSSLErrors.clear()
        switch self {
        case .none: SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
        case .full(let host): try Self.applyNames([host], ssl)
        case .names(let names): try Self.applyNames(names, ssl)
        case .dane(let hosts, let records): try Self.applyDANE(hosts, records, ssl)
        }
    }

    private static func applyNames(_ names: [String], _ ssl: OpaquePointer) throws(TLSError) {
        guard let first = names.first else { throw .configuration("there is no name to verify") }
        SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        try expect(first, on: ssl)
        for name in names.dropFirst() where SSL_add1_host(ssl, name) != 1 { throw .configuration("'\(name)' is no host name to verify") }
        OpenSSLErrors.clear()
    }

    /// An address is compared with the certificate's addresses, a name with its names (RFC 6125).
    private static func expect(_ host: String, on ssl: OpaquePointer) throws(TLSError) {
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 { return }
        OpenSSLErrors.clear()
        guard !host.isEmpty, SSL_set1_host(ssl, host) == 1 else { throw .configuration("'\(host)' is no host name to verify") }
    }

    private static func applyDANE(_ hosts: [String], _ records: [TLSARecord], _ ssl: OpaquePointer) throws(TLSError) {
        guard let base = hosts.first, SSL_dane_enable(ssl, base) > 0 else { throw .configuration("DANE needs a host name") }
        SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        _ = SSL_dane_set_flags(ssl, UInt(DANE_FLAG_NO_DANE_EE_NAMECHECKS))
        for host in hosts.dropFirst() { _ = SSL_add1_host(ssl, host) }
        // RFC 7672 §3.1.3: usages 0 and 1 are not for SMTP; such records are unusable.
        let usable = records.filter { $0.usage == 2 || $0.usage == 3 }.filter { record in
            SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matchingType, record.data, record.data.count) > 0
        }
        OpenSSLErrors.clear()
        guard !usable.isEmpty else { throw .noUsableTLSA }
    }
}
