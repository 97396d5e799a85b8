import CMilter
import Foundation
import Milter
import NetworkAddress

/// The milter macros of one session (`smfi_getsymval`).
struct MacroReader {
    let context: OpaquePointer

    /// The macro's value; nil when the MTA gave none or an empty one.
    subscript(_ name: String) -> String? {
        guard let value = postern_smfi_getsymval(context, name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    func address(_ name: String) -> IPAddress? {
        guard let text = self[name] else { return nil }
        // Sendmail writes `IPv6:2001:db8::1`.
        return IPAddress(text.lowercased().hasPrefix("ipv6:") ? String(text.dropFirst(5)) : text)
    }
}

/// Makes ``ConnectionFacts`` of what an MTA says about its client.
///
/// Whose mail it is: somebody logged in, or the client's address lies in the own networks, or the mail was made on the
/// MTA's machine without SMTP. `{daemon_name}` = `ORIGINATING` by itself decides nothing: where it stands in main.cf
/// (`milter_macro_daemon_name=ORIGINATING`, as guides have it) Postfix says it of strangers' connections as well, and
/// mail from strangers must be verified and never signed. It confirms what address or log-in already show.
struct ClientFacts {
    let configuration: MilterServerConfiguration

    /// Facts at the connect event.
    /// - Parameters:
    ///   - hostname: the client's name as the MTA has it.
    ///   - address: libmilter's; nil when the MTA knows none.
    func atConnect(hostname: String, address: UnsafePointer<sockaddr>?, macros: MacroReader) -> ConnectionFacts {
        let peer = Peer(address)
        let clientAddress = peer.address ?? macros.address("{client_addr}")
        let port = peer.port ?? macros["{client_port}"].flatMap { UInt16($0) }
        let daemon = macros["{daemon_name}"] ?? ""
        return ConnectionFacts(
            clientAddress: clientAddress, clientPort: port, clientName: verifiedName(hostname, macros),
            localAddress: macros.address("{if_addr}") ?? macros.address("{daemon_addr}"),
            localPort: (macros["{daemon_port}"] ?? macros["{if_port}"]).flatMap { UInt16($0) },
            listener: "milter",
            daemonName: configuration.originatingDaemonNames.contains(daemon) ? "ORIGINATING" : daemon,
            isOwnNetwork: isOurs(clientAddress, port: port, hostname: hostname, isUnix: peer.isUnix))
    }

    /// Adds what is known from HELO on: TLS begins between two EHLOs.
    func addTLS(to facts: inout ConnectionFacts, macros: MacroReader) {
        guard let version = macros["{tls_version}"], let cipher = macros["{cipher}"] else { return }
        facts.tls = TLSFacts(version: version, cipher: cipher, cipherBits: macros["{cipher_bits}"].flatMap { Int($0) } ?? 0,
                             serverName: macros["{server_name}"])
    }

    /// Sets who is logged in; known from MAIL on.
    func setAuthentication(in facts: inout ConnectionFacts, macros: MacroReader) {
        facts.authenticationMechanism = macros["{auth_type}"]
        // A mechanism must stand beside the name: Postfix sends both or neither.
        facts.authenticatedUser = facts.authenticationMechanism == nil ? nil : macros["{auth_authen}"] ?? macros["{auth_author}"]
    }

    /// Mail that reached the MTA without SMTP (`non_smtpd_milters`, sendmail -bs) is told as a UNIX-domain client, or
    /// as `localhost` at 127.0.0.1 with port 0, or with no address at all. A client whose address the MTA lost is told
    /// with no address too, but not as localhost: that one stays a stranger.
    private func isOurs(_ address: IPAddress?, port: UInt16?, hostname: String, isUnix: Bool) -> Bool {
        if isUnix { return true }
        guard let address else { return hostname == "localhost" }
        if address.isLoopback, (port ?? 0) == 0, hostname == "localhost" { return true }
        return configuration.ownNetworks.contains { $0.contains(address) }
    }

    /// Postfix says `unknown` and Sendmail `[192.0.2.1]`, or a name with `{client_resolve}` other than OK, for a name
    /// that does not lead back to the address.
    private func verifiedName(_ hostname: String, _ macros: MacroReader) -> String? {
        if let resolve = macros["{client_resolve}"], resolve != "OK" { return nil }
        let name = macros["{client_name}"] ?? hostname
        return name == "unknown" || name.hasPrefix("[") || name.isEmpty ? nil : name
    }
}

/// A client's socket address as libmilter hands it over.
private struct Peer {
    var address: IPAddress?
    var port: UInt16?
    var isUnix = false

    init(_ raw: UnsafePointer<sockaddr>?) {
        guard let raw else { return }
        let memory = UnsafeRawPointer(raw)
        switch Int32(raw.pointee.sa_family) {
        case AF_INET:
            let v4 = memory.loadUnaligned(as: sockaddr_in.self)
            address = withUnsafeBytes(of: v4.sin_addr) { IPAddress(octets: Array($0.prefix(4))) }
            port = UInt16(bigEndian: v4.sin_port)
        case AF_INET6:
            let v6 = memory.loadUnaligned(as: sockaddr_in6.self)
            address = withUnsafeBytes(of: v6.sin6_addr) { IPAddress(octets: Array($0.prefix(16))) }
            port = UInt16(bigEndian: v6.sin6_port)
        case AF_UNIX: isUnix = true
        default: break
        }
    }
}
