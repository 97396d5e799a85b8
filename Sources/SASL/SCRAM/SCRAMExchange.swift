import InternetMessage

/// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802 §5, RFC 7677). Messages in and out are octets, not
/// base64.
public struct SCRAMExchange: Sendable, Hashable {
    /// Why an exchange ends without a log-in.
    public enum Failure: Error, Sendable, Hashable {
        /// Not the grammar of RFC 5802 §7, or an extension that we must know and do not.
        case malformed
        /// The channel binding is missing, of another kind than ours, or not this connection's: somebody may sit in between.
        case channelBinding
        /// The client knows channel binding and was told that we do not (RFC 5802 §6): somebody took it off our list.
        case downgrade
        /// To act for another is nobody's right here.
        case otherAuthorizationIdentity
        case wrongProof
        /// A message out of turn.
        case outOfTurn
    }

    private struct First: Sendable, Hashable {
        let gs2Header: String
        let bare: String
        let user: String
        let nonce: String
    }
    private struct Sent: Sendable, Hashable {
        let first: First
        let serverFirst: String
        let nonce: String
        let keys: SCRAMKeys
    }
    private enum Stage: Sendable, Hashable { case clientFirst, keys(First), clientFinal(Sent), over }
    private var stage = Stage.clientFirst
    private let serverNonce: String
    private let bindings: [String: [UInt8]]
    private let mustBind: Bool
    /// The StoredKey that the proof fitted: says which of an account's passwords it was. nil before that.
    public private(set) var provenKey: [UInt8]?

    /// - Parameters:
    ///   - bindings: what identifies this connection, by the registered name of the binding type (`tls-exporter`, RFC 9266;
    ///     `tls-unique` and `tls-server-end-point`, RFC 5929). Not empty exactly where -PLUS is offered.
    ///   - mustBind: whether the client chose -PLUS.
    ///   - serverNonce: printable and without comma; drawn by chance unless a test gives it.
    public init(bindings: [String: [UInt8]] = [:], mustBind: Bool = false, serverNonce: String? = nil) {
        self.bindings = bindings
        self.mustBind = mustBind
        self.serverNonce = serverNonce ?? Base64.encode((0..<18).map { _ in UInt8.random(in: 0...255) })
    }

    public var isExpectingFirst: Bool { stage == .clientFirst }

    /// Takes client-first-message. - Returns: whose keys are needed next. - Throws: ``Failure``.
    public mutating func clientFirst(_ message: [UInt8]) throws(Failure) -> String {
        guard case .clientFirst = stage else { throw .outOfTurn }
        stage = .over
        guard let text = String(validating: message, as: UTF8.self), !message.contains(0) else { throw .malformed }
        let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { throw .malformed }
        try checkBinding(flag: parts[0])
        let attributes = parts[2].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard attributes.count >= 2, let user = Self.value("n", attributes[0]).flatMap(Self.saslName), !user.isEmpty,
            let nonce = Self.value("r", attributes[1]), Self.isNonce(nonce) else { throw .malformed }
        if !parts[1].isEmpty {
            guard let acting = Self.value("a", parts[1]).flatMap(Self.saslName) else { throw .malformed }
            guard acting == user else { throw .otherAuthorizationIdentity }
        }
        stage = .keys(First(gs2Header: parts[0] + "," + parts[1] + ",", bare: parts[2], user: user, nonce: nonce))
        return user
    }

    /// gs2-cbind-flag (§6): `p=` names a binding, `n` has none, `y` could and thinks that we cannot.
    private func checkBinding(flag: String) throws(Failure) {
        if flag.hasPrefix("p=") {
            guard mustBind, bindings[String(flag.dropFirst(2))] != nil else { throw .channelBinding }
            return
        }
        guard flag == "n" || flag == "y" else { throw .malformed }
        guard !mustBind else { throw .channelBinding }
        guard flag == "n" || bindings.isEmpty else { throw .downgrade }
    }

    /// What `c=` must hold (§7 cbind-input): the header of the first message, and the binding's octets.
    private func bindingInput(_ header: String) -> [UInt8] {
        guard header.hasPrefix("p=") else { return Array(header.utf8) }
        let name = header.dropFirst(2).prefix { $0 != "," }
        return Array(header.utf8) + (bindings[String(name)] ?? [])
    }

    /// - Returns: server-first-message. - Throws: ``Failure``.
    public mutating func serverFirst(_ keys: SCRAMKeys) throws(Failure) -> [UInt8] {
        guard case .keys(let first) = stage else { throw .outOfTurn }
        let nonce = first.nonce + serverNonce
        let message = "r=\(nonce),s=\(Base64.encode(keys.salt)),i=\(keys.iterations)"
        stage = .clientFinal(Sent(first: first, serverFirst: message, nonce: nonce, keys: keys))
        return Array(message.utf8)
    }

    /// Takes client-final-message. - Returns: server-final-message, when the proof is right. - Throws: ``Failure``.
    public mutating func clientFinal(_ message: [UInt8]) throws(Failure) -> [UInt8] {
        guard case .clientFinal(let sent) = stage else { throw .outOfTurn }
        stage = .over
        guard let text = String(validating: message, as: UTF8.self), let cut = text.ranges(of: ",p=").last else { throw .malformed }
        let withoutProof = String(text[..<cut.lowerBound])
        let attributes = withoutProof.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard attributes.count >= 2, let binding = Self.value("c", attributes[0]).flatMap({ Base64.decodeStrictly(Array($0.utf8)) }),
            let nonce = Self.value("r", attributes[1]), let proof = Base64.decodeStrictly(Array(text[cut.upperBound...].utf8)) else { throw .malformed }
        // §5.1: c= repeats the header of the first message, r= both nonces.
        guard SCRAMDigest.areEqual(binding, bindingInput(sent.first.gs2Header)) else { throw .channelBinding }
        guard nonce == sent.nonce, proof.count == SCRAMDigest.length else { throw .wrongProof }
        let authMessage = Array("\(sent.first.bare),\(sent.serverFirst),\(withoutProof)".utf8)
        for pair in [sent.keys.pair] + sent.keys.others {
            guard let final = Self.verify(proof, pair, authMessage) else { continue }
            provenKey = pair.storedKey
            return final
        }
        throw .wrongProof
    }

    /// - Returns: server-final-message; nil when the proof is of another password.
    private static func verify(_ proof: [UInt8], _ pair: SCRAMKeys.Pair, _ authMessage: [UInt8]) -> [UInt8]? {
        guard let signature = SCRAMDigest.hmac(pair.storedKey, authMessage) else { return nil }
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        guard let hashed = SCRAMDigest.hash(clientKey), SCRAMDigest.areEqual(hashed, pair.storedKey),
            let serverSignature = SCRAMDigest.hmac(pair.serverKey, authMessage) else { return nil }
        return Array(("v=" + Base64.encode(serverSignature)).utf8)
    }

    // MARK: Grammar (§7)

    /// An attribute of one letter. `m=` in its place, an extension that must be understood, gives nil.
    private static func value(_ name: Character, _ attribute: String) -> String? {
        attribute.first == name && attribute.dropFirst().first == "=" ? String(attribute.dropFirst(2)) : nil
    }

    /// `=2C` is a comma and `=3D` an equals sign; any other `=` is an error.
    private static func saslName(_ text: String) -> String? {
        var out = "", rest = text[...]
        while let character = rest.popFirst() {
            guard character == "=" else {
                out.append(character)
                continue
            }
            switch rest.prefix(2) {
            case "2C": out.append(",")
            case "3D": out.append("=")
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        return out
    }

    private static func isNonce(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256 && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 44 }
    }
}
