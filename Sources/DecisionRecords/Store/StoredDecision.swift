import StateFiles

/// A record with the header block it was made of.
public struct StoredDecision: Sendable, Hashable {
    public var record: DecisionRecord
    /// The header as received, fields with CRLF, our own `Received` on top; empty when no content came. At most
    /// ``headerLimit`` octets.
    public var header: [UInt8]

    /// Octets of a header that are kept.
    public static let headerLimit = 65_536

    public init(_ record: DecisionRecord, header: [UInt8] = []) {
        self.record = record
        self.header = header
    }
}

/// The file cannot be used.
public struct DecisionRecordError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    init(_ error: StateFileError) {
        path = error.path
        reason = error.reason
    }

    init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "the decision records in \(path) cannot be opened or read: \(reason)" }
}
