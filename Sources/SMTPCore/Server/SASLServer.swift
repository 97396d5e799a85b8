import InternetMessage

/// The server's side of AUTH PLAIN (RFC 4616) and LOGIN (as clients speak it), line by line.
struct SASLServer: Sendable, Hashable {
    enum Step: Sendable, Hashable {
        /// To be said with 334, already in base64.
        case challenge(String)
        case credentials(mechanism: String, user: String, password: String)
        case failed(SMTPReply)
    }

    private enum State: Sendable, Hashable { case plain, loginUser, loginPassword(user: String) }
    private var state: State

    init?(_ mechanism: String) {
        switch mechanism {
        case "PLAIN": state = .plain
        case "LOGIN": state = .loginUser
        default: return nil
        }
    }

    mutating func begin(_ initial: String?) -> Step {
        // RFC 4954 §4: "=" is an initial response of no octets.
        if let initial { return take(initial == "=" ? [] : Base64.decodeStrictly(Array(initial.utf8))) }
        return .challenge(state == .plain ? "" : Base64.encode(Array("Username:".utf8)))
    }

    mutating func receive(_ line: ArraySlice<UInt8>) -> Step {
        // RFC 4954 §4: the client cancels.
        if line.elementsEqual([42]) { return .failed(SMTPReply(501, "5.7.0", "Authentication aborted")) }
        return take(Base64.decodeStrictly(line))
    }

    private mutating func take(_ response: [UInt8]?) -> Step {
        guard let response else { return .failed(SMTPReply(501, "5.5.2", "Error: invalid base64")) }
        switch state {
        case .plain: return plain(response)
        case .loginUser:
            state = .loginPassword(user: String(decoding: response, as: UTF8.self))
            return .challenge(Base64.encode(Array("Password:".utf8)))
        case .loginPassword(let user):
            return .credentials(mechanism: "LOGIN", user: user, password: String(decoding: response, as: UTF8.self))
        }
    }

    /// `[authzid] NUL authcid NUL passwd`; to act as somebody else is not offered.
    private func plain(_ response: [UInt8]) -> Step {
        let parts = response.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[1].isEmpty, let user = String(validating: parts[1], as: UTF8.self),
            let password = String(validating: parts[2], as: UTF8.self), parts[0].isEmpty || parts[0] == parts[1]
        else { return .failed(SMTPReply(501, "5.5.2", "Error: malformed PLAIN response")) }
        return .credentials(mechanism: "PLAIN", user: user, password: password)
    }
}
