import IMAPCore
import MailStore

/// FETCH answers of nothing but what a folder's list of messages says: whole folders are asked for so when a client
/// synchronises. Each set of flags is put into words once.
struct FlagLines {
    /// - Returns: whether it can answer all of these.
    static func canAnswer(_ attributes: [FetchAttribute]) -> Bool { attributes.allSatisfy { [.uid, .flags, .modSequence].contains($0) } }

    private let view: MailboxView
    private let attributes: [FetchAttribute]
    private var texts: [UInt64: [UInt8]] = [:]

    init(_ view: MailboxView, _ attributes: [FetchAttribute]) {
        self.view = view
        self.attributes = attributes
    }

    mutating func write(_ index: Int, into out: inout ResponseWriter) {
        let message = view.messages[index]
        out.raw("* ")
        out.number(UInt64(index + 1))
        out.raw(" FETCH (")
        for (position, attribute) in attributes.enumerated() {
            if position > 0 { out.raw(" ") }
            switch attribute {
            case .uid:
                out.raw("UID ")
                out.number(UInt64(message.uid))
            case .modSequence:
                out.raw("MODSEQ (")
                out.number(message.modSequence)
                out.raw(")")
            default: out.raw(text(of: message))
            }
        }
        out.raw(")\r\n")
    }

    private mutating func text(of message: StoredMessage) -> [UInt8] {
        let key = message.flagKey | (view.recent.isEmpty || !view.recent.contains(message.uid) ? 0 : 1 << 63)
        if let known = texts[key] { return known }
        let made = Array(("FLAGS (" + view.flags(of: message).map(\.text).joined(separator: " ") + ")").utf8)
        texts[key] = made
        return made
    }
}
