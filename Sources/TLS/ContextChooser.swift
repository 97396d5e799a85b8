import COpenSSL

/// Answers OpenSSL's callbacks that choose by what a client asks for. The `SSL_CTX` owns it: a handshake that was sent to
/// another context keeps that one alive, and asks it again when the client has to say hello once more.
final class ContextChooser: Sendable {
    /// By server name, in lower case.
    typealias ByName = @Sendable (String) -> TLSContext?
    /// By server name and offered protocols (ALPN, RFC 7301).
    typealias ByProtocol = @Sendable (String, [String]) -> TLSContext?

    let byName: ByName?
    let byProtocol: ByProtocol?
    /// The protocols this side speaks, its favourite first; empty: ALPN is not answered.
    let protocols: [String]

    init(byName: ByName?, byProtocol: ByProtocol?, protocols: [String]) {
        self.byName = byName
        self.byProtocol = byProtocol
        self.protocols = protocols
    }

    func install(in context: OpaquePointer) {
        let retained = Unmanaged.passRetained(self)
        let argument = retained.toOpaque()
        guard Self.slot >= 0, SSL_CTX_set_ex_data(context, Self.slot, argument) == 1 else { return retained.release() }
        // Also where there is no table: OpenSSL would otherwise ask the first context's, and undo what was chosen.
        postern_SSL_CTX_set_servername(context, { ssl, _, argument in
            guard let ssl, let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
            let chooser = Unmanaged<ContextChooser>.fromOpaque(argument).takeUnretainedValue()
            guard let chosen = chooser.byName?(String(cString: name).lowercased()), chosen.isServer else { return SSL_TLSEXT_ERR_NOACK }
            _ = SSL_set_SSL_CTX(ssl, chosen.handle.pointer)
            return SSL_TLSEXT_ERR_OK
        }, argument)
        if byProtocol != nil { installHello(in: context, argument) }
        if !protocols.isEmpty { installSelection(in: context, argument) }
    }

    /// Where a context keeps its chooser, and lets it go at its end.
    private static let slot = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil) { _, chooser, _, _, _, _ in
        if let chooser { Unmanaged<ContextChooser>.fromOpaque(chooser).release() }
    }

    /// Before anything of the hello counts: the server name callback does not know the offered protocols.
    private func installHello(in context: OpaquePointer, _ argument: UnsafeMutableRawPointer) {
        SSL_CTX_set_client_hello_cb(context, { ssl, _, argument in
            guard let ssl, let argument else { return SSL_CLIENT_HELLO_SUCCESS }
            let chooser = Unmanaged<ContextChooser>.fromOpaque(argument).takeUnretainedValue()
            let offered = ClientHello.protocols(ContextChooser.extensionOctets(ssl, UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)))
            guard !offered.isEmpty, let name = ClientHello.serverName(ContextChooser.extensionOctets(ssl, UInt32(TLSEXT_TYPE_server_name))),
                let chosen = chooser.byProtocol?(name.lowercased(), offered), chosen.isServer else { return SSL_CLIENT_HELLO_SUCCESS }
            _ = SSL_set_SSL_CTX(ssl, chosen.handle.pointer)
            return SSL_CLIENT_HELLO_SUCCESS
        }, argument)
    }

    private func installSelection(in context: OpaquePointer, _ argument: UnsafeMutableRawPointer) {
        SSL_CTX_set_alpn_select_cb(context, { _, out, outCount, offered, count, argument in
            guard let out, let outCount, let offered, let argument else { return SSL_TLSEXT_ERR_NOACK }
            let chooser = Unmanaged<ContextChooser>.fromOpaque(argument).takeUnretainedValue()
            for wanted in chooser.protocols {
                var index = 0
                while index < Int(count) {
                    let length = Int(offered[index])
                    guard index + 1 + length <= Int(count) else { break }
                    if UnsafeBufferPointer(start: offered + index + 1, count: length).elementsEqual(wanted.utf8) {
                        out.pointee = offered + index + 1
                        outCount.pointee = UInt8(length)
                        return SSL_TLSEXT_ERR_OK
                    }
                    index += 1 + length
                }
            }
            // RFC 7301 §3.2: none in common is fatal.
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }, argument)
    }

    private static func extensionOctets(_ ssl: OpaquePointer, _ type: UInt32) -> [UInt8] {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard SSL_client_hello_get0_ext(ssl, type, &start, &count) == 1, let start else { return [] }
        return Array(UnsafeBufferPointer(start: start, count: count))
    }
}

/// Two extensions of a ClientHello.
enum ClientHello {
    /// ALPN (RFC 7301 §3.1): a list of names, each with its length before it, behind the length of all.
    static func protocols(_ octets: [UInt8]) -> [String] {
        guard let list = vector(octets[...]) else { return [] }
        var rest = list
        var names: [String] = []
        while let length = rest.first.map(Int.init) {
            guard length > 0, rest.count > length else { return [] }
            names.append(String(decoding: rest.dropFirst().prefix(length), as: UTF8.self))
            rest = rest.dropFirst(1 + length)
        }
        return names
    }

    /// server_name (RFC 6066 §3): the host_name (type 0) of the list.
    static func serverName(_ octets: [UInt8]) -> String? {
        guard let list = vector(octets[...]), list.first == 0, let name = vector(list.dropFirst(), isWhole: false), !name.isEmpty else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// What follows a length of two octets.
    private static func vector(_ octets: ArraySlice<UInt8>, isWhole: Bool = true) -> ArraySlice<UInt8>? {
        guard octets.count >= 2 else { return nil }
        let length = Int(octets[octets.startIndex]) << 8 | Int(octets[octets.startIndex + 1])
        let rest = octets.dropFirst(2)
        guard isWhole ? rest.count == length : rest.count >= length else { return nil }
        return rest.prefix(length)
    }
}
