/// Turns pieces of a message into what goes over the wire: dot-stuffed after DATA, or chunks after BDAT (RFC 3030 §2).
public struct ContentEncoder: Sendable {
    private var stuffer: DotStuffer
    private let form: SMTPClientSession.ContentForm

    public init(_ form: SMTPClientSession.ContentForm) {
        self.form = form
        stuffer = DotStuffer(doublesDots: form == .dots)
    }

    /// The octets of one piece; of the last one with what ends the content.
    public mutating func encode(_ piece: [UInt8], isLast: Bool) -> [UInt8] {
        var bytes = stuffer.stuff(piece)
        if isLast { bytes += stuffer.finish() }
        return form == .dots ? bytes : Array("BDAT \(bytes.count)\(isLast ? " LAST" : "")\r\n".utf8) + bytes
    }
}
