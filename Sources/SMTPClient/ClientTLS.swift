import NIOCore
import TLS

/// What the client needs of a TLS implementation: a handler that is put first in the pipeline after STARTTLS, and how to
/// know its event that the handshake is done.
public struct ClientTLS: Sendable {
    /// Makes a handler for one connection; called on its event loop. The handshake fails unless the server proves to be
    /// the peer demanded.
    public let makeHandler: @Sendable (_ serverName: String, _ peer: TLSDemand.Peer) throws -> any ChannelHandler
    /// A description (`TLSv1.3 with cipher TLS_AES_256_GCM_SHA384`) when the user event is the handshake's completion.
    public let handshakeCompleted: @Sendable (_ event: Any) -> String?

    public init(makeHandler: @escaping @Sendable (_ serverName: String, _ peer: TLSDemand.Peer) throws -> any ChannelHandler,
                handshakeCompleted: @escaping @Sendable (_ event: Any) -> String?) {
        self.makeHandler = makeHandler
        self.handshakeCompleted = handshakeCompleted
    }

    /// TLS by our own contexts.
    /// - Parameters:
    ///   - opportunistic: where the certificate is not looked at, and for DANE, which needs no authority.
    ///   - verifying: where it must be for a name; nil makes those fail for now.
    public init(opportunistic: TLSContext, verifying: TLSContext?) {
        self.init(
            makeHandler: { name, peer in
                // An address literal has no SNI (RFC 6066 §3); its certificate is compared with the bare address.
                let serverName = name.hasPrefix("[") ? nil : name
                switch peer {
                case .anyone: return try TLSHandler(client: opportunistic, serverName: serverName)
                case .dane(let hosts, let records):
                    return try TLSHandler(client: opportunistic, serverName: serverName, verification: .dane(hosts: hosts, records: records))
                case .names(let names):
                    guard let verifying else { throw TLSError.configuration("no CA certificates are set up to verify \(name)") }
                    return try TLSHandler(client: verifying, serverName: serverName, verification: .names(names.map(Self.bare)))
                }
            },
            handshakeCompleted: { event in
                (event as? TLSHandshakeCompleted).map { "\($0.info.version) with cipher \($0.info.cipher) (\($0.info.bits) bits)" }
            })
    }

    /// `[192.0.2.1]` and `[IPv6:2001:db8::1]` without their brackets.
    private static func bare(_ name: String) -> String {
        name.hasPrefix("[") ? String(name.dropFirst().dropLast()).replacing("IPv6:", with: "") : name
    }
}
