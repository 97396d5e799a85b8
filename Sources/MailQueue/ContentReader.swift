/// A queued message's content by offset, for sending it in pieces. The file stays readable though the message leaves the
/// queue meanwhile.
public final class ContentReader: Sendable {
    private let file: QueueDescriptor
    private let start: Int
    private let count: Int

    /// Blocks.
    init(path: String, start: Int, count: Int) throws(QueueError) {
        file = try QueueDescriptor(path, openReadOnly)
        self.start = start
        self.count = count
    }

    /// At most so many octets; fewer only at the end. Blocks.
    public func read(at offset: Int, maximum: Int) throws(QueueError) -> [UInt8] {
        try file.read(at: start + offset, count: max(0, min(maximum, count - offset)))
    }
}

extension QueuedMessage {
    /// Opens the content for reading in pieces. Blocks.
    public func reader() throws(QueueError) -> ContentReader {
        try ContentReader(path: path, start: contentOffset, count: byteCount)
    }
}
