import COpenSSL
import NIOCore

/// One `SSL` over a pair of memory BIOs: octets in, octets out, no socket. Belongs to one event loop.
final class TLSSession {
    enum Progress { case done, wantsMore, failed(TLSError) }

    /// Encrypted octets we hold for the peer beyond which writing should pause: bounded by the channel's own water marks.
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Parameter serverName: a client's SNI, and the name its certificate check compares.
    init(_ context: TLSContext, serverName: String?) throws {
        guard let ssl = SSL_new(context.pointer) else { throw TLSError.library(TLSError.reason()) }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw TLSError.library(TLSError.reason())
        }
        SSL_set_bio(ssl, incoming, outgoing)
        (self.ssl, self.incoming, self.outgoing) = (ssl, incoming, outgoing)
        if context.isServer {
            SSL_set_accept_state(ssl)
        } else {
            SSL_set_connect_state(ssl)
            // RFC 6066 §3: no literals in SNI.
            if let serverName, !serverName.isEmpty, !serverName.hasPrefix("[") {
                _ = postern_ssl_set_host_name(ssl, serverName)
                SSL_set1_host(ssl, serverName)
            }
        }
    }

    deinit { SSL_free(ssl) }

    var info: TLSSessionInfo { TLSSessionInfo(ssl) }

    /// Takes what came from the peer.
    func receive(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { bytes in
            if let base = bytes.baseAddress, !bytes.isEmpty { _ = BIO_write(incoming, base, Int32(bytes.count)) }
        }
    }

    func handshake() -> Progress {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        return result == 1 ? .done : problem(result)
    }

    /// Decrypts into the buffer until nothing more can be read.
    func read(into buffer: inout ByteBuffer) -> Progress {
        while true {
            ERR_clear_error()
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16384) { space in
                max(Int(SSL_read(ssl, space.baseAddress, Int32(clamping: space.count))), 0)
            }
            if got == 0 { return SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 ? .done : problem(0) }
        }
    }

    /// Encrypts; a memory BIO always takes everything.
    func write(_ buffer: ByteBuffer) -> Progress {
        var failure: Progress = .done
        buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                ERR_clear_error()
                let put = SSL_write(ssl, UnsafeRawBufferPointer(rebasing: rest).baseAddress, Int32(clamping: rest.count))
                guard put > 0 else {
                    failure = problem(put)
                    return
                }
                rest = rest.dropFirst(Int(put))
            }
        }
        return failure
    }

    /// Says close_notify (RFC 8446 §6.1).
    func shutDown() {
        ERR_clear_error()
        if SSL_is_init_finished(ssl) == 1 { _ = SSL_shutdown(ssl) }
        ERR_clear_error()
    }

    /// What has been produced for the peer, or nil.
    func takeOutput(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let pending = BIO_ctrl_pending(outgoing)
        guard pending > 0 else { return nil }
        var buffer = allocator.buffer(capacity: pending)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pending) { space in
            max(Int(BIO_read(outgoing, space.baseAddress, Int32(clamping: pending))), 0)
        }
        return buffer
    }

    private func problem(_ result: Int32) -> Progress {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_ZERO_RETURN: return .wantsMore
        default: return .failed(explain())
        }
    }

    private func explain() -> TLSError {
        let verify = SSL_get_verify_result(ssl)
        if SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE, verify != Int(X509_V_OK) {
            ERR_clear_error()
            return .handshake("certificate: " + String(cString: X509_verify_cert_error_string(verify)))
        }
        let reason = TLSError.reason()
        let plain = ["wrong version number", "http request", "https proxy request", "packet length too long", "unsupported protocol"]
        return plain.prefix(4).contains(reason) ? .notTLS : .handshake(reason)
    }
}
