import InternetMessage

/// The server's side of PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), SCRAM-SHA-256 and SCRAM-SHA-256-PLUS
/// (RFC 5802, RFC 7677), line by line.
public struct SASLExchange: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        /// This goes to the client, base64 already.
        case challenge(String)
        /// Check the password: that decides.
        case finished(Credentials)
        /// Find this user's keys and go on with ``answer(_:)``.
        case needsKeys(user: String)
        /// The client has proved that it knows the password of this user's keys, and has seen our proof: it is logged in, if
        /// the keys were those of an account. With ``SCRAMExchange/provenKey``.
        case proved(user: String, key: [UInt8]?)
        /// SCRAM failed; ``SCRAMExchange/Failure/wrongProof`` counts as a wrong password of the user.
        case refused(SCRAMExchange.Failure, user: String?)
        case malformed
    }

    private enum Stage: Sendable, Hashable {
        case plain, loginUser, loginPassword(String)
        case scram(SCRAMExchange, user: String?)
        /// The server's proof is sent; the client acknowledges it with an empty line.
        case acknowledgement(user: String, key: [UInt8]?)
    }

    public let mechanism: String
    private var stage: Stage

    /// The mechanisms that can be done, weakest first.
    /// - Parameters:
    ///   - offersSCRAM: whether keys can be had.
    ///   - bindings: as for ``init(mechanism:bindings:)``.
    public static func mechanisms(offersSCRAM: Bool, bindings: [String: [UInt8]]) -> [String] {
        ["PLAIN", "LOGIN"] + (offersSCRAM ? ["SCRAM-SHA-256"] + (bindings.isEmpty ? [] : ["SCRAM-SHA-256-PLUS"]) : [])
    }

    /// nil for a mechanism that is not known, and for -PLUS without a binding.
    /// - Parameters:
    ///   - mechanism: in upper case.
    ///   - bindings: the connection's channel bindings by name; none without TLS.
    public init?(mechanism: String, bindings: [String: [UInt8]] = [:]) {
        self.mechanism = mechanism
        switch mechanism {
        case "PLAIN": stage = .plain
        case "LOGIN": stage = .loginUser
        case "SCRAM-SHA-256": stage = .scram(SCRAMExchange(bindings: bindings), user: nil)
        case "SCRAM-SHA-256-PLUS":
            guard !bindings.isEmpty else { return nil }
            stage = .scram(SCRAMExchange(bindings: bindings, mustBind: true), user: nil)
        default: return nil
        }
    }

    /// - Parameter initialResponse: base64, or `=` for an empty one; nil when AUTH came without.
    public mutating func begin(_ initialResponse: [UInt8]?) -> Step {
        // PLAIN and SCRAM: the client speaks first, and is asked to with an empty challenge.
        guard let initialResponse else { return .challenge(stage == .loginUser ? "VXNlcm5hbWU6" : "") }
        return take(initialResponse == [61] ? [] : initialResponse)
    }

    /// A line from the client, base64.
    public mutating func take(_ line: [UInt8]) -> Step {
        guard let octets = Base64.decodeStrictly(line) else { return .malformed }
        switch stage {
        case .plain: return plain(octets)
        case .loginUser:
            guard let user = Self.text(octets), !user.isEmpty else { return .malformed }
            stage = .loginPassword(user)
            return .challenge("UGFzc3dvcmQ6")
        case .loginPassword(let user):
            guard let password = Self.text(octets) else { return .malformed }
            return .finished(Credentials(mechanism: mechanism, user: user, password: password))
        case .scram(let exchange, let user): return scram(exchange, user, octets)
        case .acknowledgement(let user, let key): return octets.isEmpty ? .proved(user: user, key: key) : .malformed
        }
    }

    /// The keys that ``Step/needsKeys(user:)`` asked for; a decoy where there is no such user.
    public mutating func answer(_ keys: SCRAMKeys) -> Step {
        guard case .scram(var exchange, let user) = stage else { return .malformed }
        do throws(SCRAMExchange.Failure) {
            let message = try exchange.serverFirst(keys)
            stage = .scram(exchange, user: user)
            return .challenge(Base64.encode(message))
        } catch { return Self.failed(error, user) }
    }

    private mutating func scram(_ exchange: SCRAMExchange, _ user: String?, _ octets: [UInt8]) -> Step {
        var exchange = exchange
        do throws(SCRAMExchange.Failure) {
            guard exchange.isExpectingFirst else {
                let final = try exchange.clientFinal(octets)
                guard let user else { return .malformed }
                stage = .acknowledgement(user: user, key: exchange.provenKey)
                // RFC 5802 §5's last message; neither IMAP nor SMTP has room for it beside their success (RFC 4422 §4 item 2a).
                return .challenge(Base64.encode(final))
            }
            let user = try exchange.clientFirst(octets)
            stage = .scram(exchange, user: user)
            return .needsKeys(user: user)
        } catch { return Self.failed(error, user) }
    }

    private static func failed(_ failure: SCRAMExchange.Failure, _ user: String?) -> Step { failure == .malformed ? .malformed : .refused(failure, user: user) }

    /// `[authzid] NUL authcid NUL passwd`. To act for another (authzid) is nobody's right here.
    private func plain(_ octets: [UInt8]) -> Step {
        let parts = octets.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let acting = Self.text(Array(parts[0])), let user = Self.text(Array(parts[1])), !user.isEmpty,
            let password = Self.text(Array(parts[2])), acting.isEmpty || acting == user else { return .malformed }
        return .finished(Credentials(mechanism: "PLAIN", user: user, password: password))
    }

    private static func text(_ octets: [UInt8]) -> String? {
        octets.contains(0) ? nil : String(validating: octets, as: UTF8.self)
    }
}
