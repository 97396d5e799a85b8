import InternetMessage

/// A queue file opened for delivery: the envelope with the journal applied, and the content's place on disk.
public struct QueuedMessage: Sendable {
    public let envelope: QueueEnvelope
    /// Octets of the content, header and body with the empty line.
    public var byteCount: Int { headerCount + bodyCount }
    /// Octets of the header with the empty line.
    public var headerByteCount: Int { headerCount }
    /// The content has octets above 127 (RFC 6152 asks for BODY=8BITMIME).
    public var is8Bit: Bool { headerIs8Bit || bodyIs8Bit }
    /// The header has octets above 127, so that the message is internationalised (RFC 6532).
    public let headerIs8Bit: Bool
    public let bodyIs8Bit: Bool

    let path: String
    let contentOffset: Int
    let headerCount: Int
    let bodyCount: Int

    /// Reads the header; the body stays in the file. Blocks.
    /// - Throws: ``QueueError`` or ``SpoolFile/Failure``.
    public func message() throws -> Message {
        Message(header: try header(), body: try MessageBody(fileAt: path, start: contentOffset + headerCount, count: bodyCount))
    }

    /// The content as it goes over the wire, before dot-stuffing. Blocks.
    /// - Throws: ``SpoolFile/Failure`` when the file cannot be opened.
    public func content() throws -> MessageBody {
        try MessageBody(fileAt: path, start: contentOffset, count: byteCount)
    }

    /// The header alone. Blocks.
    public func header() throws -> MessageHeader {
        let bytes = try QueueDescriptor(path, openReadOnly).read(at: contentOffset, count: headerCount)
        return MessageHeader.parse(bytes[...]).header
    }
}
