/// One line of a QUOTA answer (RFC 9208 §4.2.1).
public struct QuotaResource: Sendable, Hashable {
    /// `STORAGE` counts units of 1,024 octets, `MESSAGE` messages.
    public let name: String
    public let used: UInt64
    public let limit: UInt64

    public init(_ name: String, used: UInt64, limit: UInt64) {
        self.name = name
        self.used = used
        self.limit = limit
    }
}

extension Response {
    func annotation(into writer: inout ResponseWriter) {
        switch self {
        case .quota(let root, let resources):
            writer.raw("QUOTA ")
            writer.astring(Array(root.utf8))
            writer.raw(" (" + resources.map { "\($0.name) \($0.used) \($0.limit)" }.joined(separator: " ") + ")")
        case .quotaRoot(let name, let roots):
            writer.raw("QUOTAROOT ")
            writer.mailbox(name)
            for root in roots {
                writer.raw(" ")
                writer.astring(Array(root.utf8))
            }
        case .metadata(let name, let values):
            head(name, into: &writer)
            writer.raw("(")
            for (index, entry) in values.enumerated() {
                if index > 0 { writer.raw(" ") }
                writer.astring(Array(entry.name.utf8))
                writer.raw(" ")
                Self.value(entry.value, into: &writer)
            }
            writer.raw(")")
        case .metadataChanged(let name, let entries):
            head(name, into: &writer)
            for (index, entry) in entries.enumerated() {
                if index > 0 { writer.raw(" ") }
                writer.astring(Array(entry.utf8))
            }
        default: break
        }
    }

    /// The server's own annotations have the empty name, which is quoted.
    private func head(_ name: MailboxName, into writer: inout ResponseWriter) {
        writer.raw("METADATA ")
        writer.mailbox(name)
        writer.raw(" ")
    }

    /// `nstring / literal8`
    private static func value(_ value: [UInt8]?, into writer: inout ResponseWriter) {
        guard let value, value.contains(0) else { return writer.nstring(value) }
        writer.literal8Header(value.count)
        writer.raw(value)
    }
}
