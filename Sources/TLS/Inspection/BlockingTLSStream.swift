import COpenSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A client's TLS over a connected, non-blocking socket, for commands that look at a server: each call waits until its
/// deadline. The process must ignore SIGPIPE. Blocks; one thread at a time.
public final class BlockingTLSStream {
    private let ssl: OpaquePointer
    private let context: TLSContext
    private let descriptor: Int32

    /// Shakes hands.
    /// - Parameters:
    ///   - descriptor: stays the caller's to close, after this is gone.
    ///   - serverName: for SNI; an address asks for nothing.
    /// - Throws: ``TLSError``.
    public init(descriptor: Int32, context: TLSContext, serverName: String, verification: TLSVerification = .none, until end: ContinuousClock.Instant) throws(TLSError) {
        OpenSSLErrors.clear()
        guard let ssl = SSL_new(context.handle.pointer) else { throw .configuration(OpenSSLErrors.take()) }
        (self.ssl, self.context, self.descriptor) = (ssl, context, descriptor)
        guard SSL_set_fd(ssl, descriptor) == 1 else { throw .configuration(OpenSSLErrors.take()) }
        SSL_set_connect_state(ssl)
        try verification.apply(to: ssl)
        if IPName.isName(serverName) { _ = postern_SSL_set_servername(ssl, serverName) }
        while true {
            OpenSSLErrors.clear()
            let result = SSL_do_handshake(ssl)
            if result == 1 { return }
            try wait(for: SSL_get_error(ssl, result), until: end)
        }
    }

    deinit { SSL_free(ssl) }

    /// The certificates that the server showed, its own first.
    public var peerChain: [InspectedCertificate] {
        guard let stack = SSL_get_peer_cert_chain(ssl) else { return [] }
        return (0..<min(postern_X509_stack_count(stack), 16)).compactMap { index in postern_X509_stack_at(stack, index).flatMap { InspectedCertificate($0) } }
    }

    /// Some octets; none when the server has closed.
    /// - Throws: ``TLSError``.
    public func read(until end: ContinuousClock.Instant) throws(TLSError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            OpenSSLErrors.clear()
            let got = SSL_read(ssl, &buffer, Int32(buffer.count))
            if got > 0 { return Array(buffer.prefix(Int(got))) }
            let code = SSL_get_error(ssl, got)
            if code == SSL_ERROR_ZERO_RETURN { return [] }
            try wait(for: code, until: end)
        }
    }

    /// - Throws: ``TLSError``.
    public func write(_ bytes: [UInt8], until end: ContinuousClock.Instant) throws(TLSError) {
        var done = 0
        while done < bytes.count {
            OpenSSLErrors.clear()
            let put = bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress?.advanced(by: done), Int32(clamping: bytes.count - done)) }
            if put > 0 { done += Int(put) } else { try wait(for: SSL_get_error(ssl, put), until: end) }
        }
    }

    private func wait(for code: Int32, until end: ContinuousClock.Instant) throws(TLSError) {
        guard code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE else {
            let reason = OpenSSLErrors.take()
            throw .handshakeFailed(reason.isEmpty ? "the server closed the connection" : reason)
        }
        let left = ContinuousClock.now.duration(to: end)
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        var one = pollfd(fd: descriptor, events: Int16(code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), revents: 0)
        guard left > .zero, poll(&one, 1, Int32(clamping: max(milliseconds, 1))) != 0 else { throw .handshakeFailed("the server did not answer in time") }
    }
}
