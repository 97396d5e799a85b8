import CZlib

/// One direction of COMPRESS=DEFLATE (RFC 4978): octets in, compressed octets out, each call flushed so that the other
/// side can read all of it.
final class Deflater {
    /// zlib keeps its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        stream.initialize(to: z_stream())
        isReady = postern_deflate_init(stream) == Z_OK
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// nil: zlib failed (out of memory).
    func compress(_ input: [UInt8]) -> [UInt8]? {
        guard isReady else { return nil }
        guard !input.isEmpty else { return [] }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 32_768)
        var input = input
        let status = input.withUnsafeMutableBufferPointer { buffer -> Int32 in
            stream.pointee.next_in = buffer.baseAddress
            stream.pointee.avail_in = UInt32(buffer.count)
            while true {
                let (status, made) = chunk.withUnsafeMutableBufferPointer { room -> (Int32, Int) in
                    stream.pointee.next_out = room.baseAddress
                    stream.pointee.avail_out = UInt32(room.count)
                    return (deflate(stream, Z_SYNC_FLUSH), room.count - Int(stream.pointee.avail_out))
                }
                out += chunk[..<made]
                // Room left over: everything was flushed. Z_BUF_ERROR: nothing was left to do.
                if status != Z_OK || stream.pointee.avail_out > 0 { return status }
            }
        }
        stream.pointee.next_in = nil
        return status == Z_OK || status == Z_BUF_ERROR ? out : nil
    }
}

/// The other direction, in pieces of bounded size: a kilobyte may stand for a megabyte, and that is not made before
/// somebody asks for it.
final class Inflater {
    struct Corrupt: Error {}

    /// Octets given out at once.
    static let pieceSize = 32_768

    /// zlib keeps its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool
    private var input: [UInt8] = []
    private var position = 0
    private var mayHaveMore = false

    init() {
        stream.initialize(to: z_stream())
        isReady = postern_inflate_init(stream) == Z_OK
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Whether there may be something to give out before more comes in.
    var hasWork: Bool { position < input.count || mayHaveMore }

    func feed(_ bytes: some Collection<UInt8>) {
        if position == input.count {
            input = Array(bytes)
            position = 0
        } else {
            input += bytes
        }
    }

    /// The next piece; nil when more must come in first.
    /// - Throws: ``Corrupt`` for what is no deflate stream.
    func next() throws(Corrupt) -> [UInt8]? {
        guard isReady else { throw Corrupt() }
        guard hasWork else { return nil }
        var chunk = [UInt8](repeating: 0, count: Self.pieceSize)
        let start = position
        let (status, made, used) = input.withUnsafeMutableBufferPointer { buffer in
            chunk.withUnsafeMutableBufferPointer { room -> (Int32, Int, Int) in
                let waiting = buffer.count - start
                stream.pointee.next_in = buffer.baseAddress.map { $0 + start }
                stream.pointee.avail_in = UInt32(waiting)
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(room.count)
                let status = inflate(stream, Z_SYNC_FLUSH)
                return (status, room.count - Int(stream.pointee.avail_out), waiting - Int(stream.pointee.avail_in))
            }
        }
        stream.pointee.next_in = nil
        position += used
        // A full piece may have more behind it in zlib's window.
        mayHaveMore = made == chunk.count
        // The stream never ends while the connection lasts (RFC 4978 §4 has no end of it).
        guard status == Z_OK || status == Z_BUF_ERROR else { throw Corrupt() }
        guard made > 0 else {
            guard used > 0, position < input.count else { return nil }
            return try next()
        }
        return Array(chunk[..<made])
    }
}
