import COpenSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a certificate says of itself.
public struct CertificateFacts: Sendable, Hashable {
    /// The DNS names and addresses of its subjectAltName, in lower case; the common name where it has none.
    public let names: [String]
    /// The issuer's common name, else its organisation; empty when it has neither.
    public let issuer: String
    public let isSelfSigned: Bool
    /// From when to when it holds, in seconds since 1970.
    public let notBefore: Int64?
    public let notAfter: Int64?
    /// Lower-case hexadecimal, as `openssl x509 -serial` has it.
    public let serial: String

    /// The first certificate of PEM text; nil when there is none that can be read.
    public init?(pem: String) {
        OpenSSLErrors.clear()
        guard let certificate = PEMReading.certificate(pem) else {
            OpenSSLErrors.clear()
            return nil
        }
        defer { X509_free(certificate) }
        self.init(certificate)
    }

    init(_ certificate: OpaquePointer) {
        let subject = Self.text(X509_get_subject_name(certificate), NID_commonName)
        let named = Self.alternativeNames(certificate)
        names = named.isEmpty ? subject.map { [$0.lowercased()] } ?? [] : named
        issuer = Self.text(X509_get_issuer_name(certificate), NID_commonName) ?? Self.text(X509_get_issuer_name(certificate), NID_organizationName) ?? ""
        isSelfSigned = X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0
        notBefore = Self.seconds(X509_get0_notBefore(certificate))
        notAfter = Self.seconds(X509_get0_notAfter(certificate))
        serial = Self.serial(certificate)
    }

    /// What is worth saying: an expired certificate still serves, since most senders do not look.
    func warnings(_ path: String, now: Int64 = Int64(time(nil))) -> [String] {
        if let notAfter, notAfter < now { return ["\(path): the certificate expired \((now - notAfter) / 86400) days ago; renew it"] }
        if let notBefore, notBefore > now { return ["\(path): the certificate is not valid yet; check the machine's clock"] }
        return []
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }

    private static func text(_ name: OpaquePointer?, _ identifier: Int32) -> String? {
        guard let name else { return nil }
        let index = X509_NAME_get_index_by_NID(name, identifier, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(name, index), let data = X509_NAME_ENTRY_get_data(entry) else { return nil }
        return text(ASN1_STRING_get0_data(data), Int(ASN1_STRING_length(data)))
    }

    private static func text(_ start: UnsafePointer<UInt8>?, _ count: Int) -> String? {
        guard let start, count > 0, count <= 1024 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
        guard let names = postern_X509_names(certificate) else { return [] }
        defer { postern_names_free(names) }
        return (0..<postern_names_count(names)).compactMap { index -> String? in
            var kind: Int32 = 0, count: Int32 = 0
            guard let start = postern_names_value(names, index, &kind, &count) else { return nil }
            if kind == GEN_DNS { return text(start, Int(count))?.lowercased() }
            return address(Array(UnsafeBufferPointer(start: start, count: Int(count))))
        }
    }

    private static func address(_ octets: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard octets.count == 4 || octets.count == 16,
            inet_ntop(octets.count == 4 ? AF_INET : AF_INET6, octets, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func serial(_ certificate: OpaquePointer) -> String {
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return "" }
        defer { BN_free(number) }
        var octets = [UInt8](repeating: 0, count: Int((BN_num_bits(number) + 7) / 8))
        BN_bn2bin(number, &octets)
        return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
