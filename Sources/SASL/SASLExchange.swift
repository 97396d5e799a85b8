import InternetMessage

/// The server's side of PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), line by line.
public struct SASLExchange: Sendable, Hashable {
    public enum Step: Sendable, Hashable {
        /// This goes to the client, base64 already.
        case challenge(String)
        case finished(Credentials)
        case malformed
    }

    private enum Stage: Sendable, Hashable { case plain, loginUser, loginPassword(String) }
    private var stage: Stage

    /// nil for a mechanism that is not offered.
    public init?(mechanism: String) {
        switch mechanism {
        case "PLAIN": stage = .plain
        case "LOGIN": stage = .loginUser
        default: return nil
        }
    }

    /// - Parameter initialResponse: base64, or `=` for an empty one; nil when AUTH came without.
    public mutating func begin(_ initialResponse: [UInt8]?) -> Step {
        guard let initialResponse else { return .challenge(stage == .plain ? "" : "VXNlcm5hbWU6") }
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
            return .finished(Credentials(mechanism: "LOGIN", user: user, password: password))
        }
    }

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
