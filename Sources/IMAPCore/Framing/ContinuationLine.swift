import InternetMessage

/// A line that the client sends inside a command, in answer to a continuation request.
public enum ContinuationLine: Sendable, Hashable {
    /// `*`: the client cancels the SASL exchange (RFC 3501 §6.2.2); answer BAD.
    case cancel
    /// A SASL response, decoded.
    case response([UInt8])
    /// Not base64; answer BAD.
    case malformed

    /// - Parameter sasl: the line of ``CommandFramer/Event/line(_:)`` during AUTHENTICATE.
    public init(sasl line: [UInt8]) {
        if line == [42] { self = .cancel } else { self = Base64.decodeStrictly(line).map { .response($0) } ?? .malformed }
    }

    /// Whether the line ends IDLE (RFC 2177 §3); anything else is answered with a tagged BAD.
    public static func endsIdle(_ line: [UInt8]) -> Bool { ASCII.equal(String(decoding: line, as: UTF8.self), "DONE") }
}
