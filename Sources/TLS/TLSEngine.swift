import COpenSSL
import NIOCore

/// One TLS connection over a pair of memory BIOs: octets in, octets out, no socket. Owned by one handler, on one event
/// loop. What it holds is bounded by one incomplete record (16 KiB and a little) beside what the caller feeds at once.
final class TLSEngine {
    enum Progress { case done, needsMore }
    enum Reading { case data(ByteBuffer), nothing, closed(ByteBuffer) }

    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let isServer: Bool
    /// Keeps certificates and the name chooser alive.
    private let context: TLSContext
    private var sawFirstOctets = false

    /// - Parameters:
    ///   - serverName: what a client asks for by SNI; nil and addresses ask for nothing (RFC 6066 §3).
    init(context: TLSContext, serverName: String? = nil, verification: TLSVerification = .none) throws(TLSError) {
        OpenSSLErrors.clear()
        guard let ssl = SSL_new(context.handle.pointer) else { throw .configuration(OpenSSLErrors.take()) }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .configuration("out of memory")
        }
        postern_BIO_never_ends(incoming)
        postern_BIO_never_ends(outgoing)
        SSL_set_bio(ssl, incoming, outgoing)
        (self.ssl, self.incoming, self.outgoing) = (ssl, incoming, outgoing)
        (self.context, isServer) = (context, context.isServer)
        if isServer {
            SSL_set_accept_state(ssl)
        } else {
            SSL_set_connect_state(ssl)
            try verification.apply(to: ssl)
            // DANE sets the name itself, and it must be the TLSA base domain (RFC 7672 §8.1).
            if case .dane = verification { return }
            if let serverName, IPName.isName(serverName) { _ = postern_SSL_set_servername(ssl, serverName) }
        }
    }

    deinit { SSL_free(ssl) }

    var info: TLSSessionInfo { TLSSessionInfo(ssl) }

    /// Of a finished handshake, on a server.
    var channelBindings: [String: [UInt8]] { ChannelBindings.of(server: ssl) }

    /// Takes octets from the network.
    /// - Throws: ``TLSError/notTLS(received:)`` when the peer's very first octets begin no TLS record.
    func feed(_ buffer: ByteBuffer) throws(TLSError) {
        if !sawFirstOctets, let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) {
            sawFirstOctets = true
            // RFC 8446 §5.1: handshake (22), or the alert (21) of a peer that refuses at once.
            guard first == 22 || first == 21 else { throw .notTLS(received: Self.excerpt(buffer)) }
        }
        buffer.withUnsafeReadableBytes { bytes in _ = BIO_write(incoming, bytes.baseAddress, Int32(clamping: bytes.count)) }
    }

    /// Goes on with the handshake as far as the octets fed allow.
    func handshake() throws(TLSError) -> Progress {
        OpenSSLErrors.clear()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return .done }
        if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .needsMore }
        throw handshakeFailure()
    }

    /// Decrypts what is there into one buffer.
    func read(_ allocator: ByteBufferAllocator) throws(TLSError) -> Reading {
        // Plaintext is shorter than its records: with a little to spare the buffer never grows.
        var out = allocator.buffer(capacity: postern_BIO_pending(incoming) + 512)
        while true {
            OpenSSLErrors.clear()
            let got = out.writeWithUnsafeMutableBytes(minimumWritableBytes: 256) { space in
                max(Int(SSL_read(ssl, space.baseAddress, Int32(clamping: space.count))), 0)
            }
            if got > 0 { continue }
            switch SSL_get_error(ssl, 0) {
            case SSL_ERROR_ZERO_RETURN: return .closed(out)
            case SSL_ERROR_WANT_READ: return out.readableBytes > 0 ? .data(out) : .nothing
            default:
                if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0 { return .closed(out) }
                let reason = OpenSSLErrors.take()
                if reason.isEmpty { return out.readableBytes > 0 ? .data(out) : .nothing }
                throw .broken(reason)
            }
        }
    }

    /// Encrypts; the records wait in the outgoing BIO.
    func write(_ buffer: ByteBuffer) throws(TLSError) {
        var rest = buffer
        while rest.readableBytes > 0 {
            OpenSSLErrors.clear()
            let put = rest.readWithUnsafeReadableBytes { bytes in
                max(Int(SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))), 0)
            }
            guard put > 0 else { throw .broken(OpenSSLErrors.take()) }
        }
    }

    /// Says close_notify, once.
    func close() {
        OpenSSLErrors.clear()
        _ = SSL_shutdown(ssl)
        OpenSSLErrors.clear()
    }

    /// What is to be sent, in one buffer; nil when there is nothing.
    func takeOutgoing(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        var start: UnsafePointer<CChar>?
        let count = postern_BIO_contents(outgoing, &start)
        guard count > 0, let start else { return nil }
        var out = allocator.buffer(capacity: count)
        out.writeBytes(UnsafeRawBufferPointer(start: start, count: count))
        postern_BIO_empty(outgoing)
        return out
    }

    private func handshakeFailure() -> TLSError {
        let reasons = OpenSSLErrors.take()
        let verdict = SSL_get_verify_result(ssl)
        if !isServer, SSL_get_verify_mode(ssl) != 0, verdict != Int(X509_V_OK), reasons.contains("verify failed") {
            return .untrusted(String(cString: X509_verify_cert_error_string(verdict)))
        }
        return .handshakeFailed(reasons.isEmpty ? "the peer broke it off" : reasons)
    }

    /// The peer's first words, printable.
    private static func excerpt(_ buffer: ByteBuffer) -> String {
        String(decoding: buffer.readableBytesView.prefix(40).map { (32..<127).contains($0) ? $0 : 63 }, as: UTF8.self)
    }
}

enum IPName {
    /// Whether the text is a name and not an address.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && !text.contains(":") && !text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
    }
}
