#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes a message to a file with LF line ends through one bounded buffer, counting what it writes and what a reader
/// that turns LF into CRLF again will see.
struct LineEndWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private var last: UInt8 = 0
    /// A CR at the end of a chunk: the next octet tells whether it belongs to a line end.
    private var heldCR = false
    /// Octets in the file.
    private(set) var physical = 0
    /// Octets with CRLF line ends.
    private(set) var virtual = 0

    /// Takes the descriptor over and closes it.
    init(descriptor: Int32, path: String, expecting size: Int) {
        self.descriptor = descriptor
        self.path = path
        buffer = .allocate(byteCount: min(max(size, 4096), 1 << 18), alignment: 16)
    }

    deinit {
        buffer.deallocate()
        close(descriptor)
    }

    mutating func append(_ bytes: [UInt8]) throws(StoreError) {
        let result = bytes.withUnsafeBytes { raw -> Result<Void, StoreError> in
            do throws(StoreError) { return .success(try append(raw)) } catch { return .failure(error) }
        }
        try result.get()
    }

    mutating func append(_ raw: UnsafeRawBufferPointer) throws(StoreError) {
        guard let start = raw.baseAddress, raw.count > 0 else { return }
        var position = 0
        if heldCR {
            heldCR = false
            if raw[0] != 10 { try emitCR() }
        }
        while position < raw.count, let hit = memchr(start + position, 10, raw.count - position) {
            let feed = start.distance(to: UnsafeRawPointer(hit))
            let lineEnd = feed > position && raw[feed - 1] == 13 ? feed - 1 : feed
            try emit(UnsafeRawBufferPointer(rebasing: raw[position..<lineEnd]))
            try emitLineFeed()
            position = feed + 1
        }
        guard position < raw.count else { return }
        heldCR = raw[raw.count - 1] == 13
        try emit(UnsafeRawBufferPointer(rebasing: raw[position..<(heldCR ? raw.count - 1 : raw.count)]))
    }

    /// Flushes, sets the modification time if one is given (Unix seconds), and fsyncs the file.
    mutating func finish(modified: Int64? = nil) throws(StoreError) {
        if heldCR { try emitCR() }
        heldCR = false
        try flush()
        if let modified {
            let time = timespec(tv_sec: Int(modified), tv_nsec: 0)
            guard futimens(descriptor, [time, time]) == 0 else { throw Files.failure("futimens", path) }
        }
        guard fsync(descriptor) == 0 else { throw Files.failure("fsync", path) }
    }

    private mutating func emitCR() throws(StoreError) {
        if used == buffer.count { try flush() }
        buffer[used] = 13
        used += 1
        last = 13
        physical += 1
        virtual += 1
    }

    private mutating func emitLineFeed() throws(StoreError) {
        if used == buffer.count { try flush() }
        buffer[used] = 10
        used += 1
        physical += 1
        // A CR that stands before the LF in the file makes the pair read back as it is.
        virtual += last == 13 ? 1 : 2
        last = 10
    }

    private mutating func emit(_ raw: UnsafeRawBufferPointer) throws(StoreError) {
        guard let start = raw.baseAddress, raw.count > 0 else { return }
        last = raw[raw.count - 1]
        physical += raw.count
        virtual += raw.count
        if used + raw.count > buffer.count { try flush() }
        guard raw.count <= buffer.count else {
            try Files.writeAll(raw, to: descriptor, path: path)
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: UnsafeRawBufferPointer(start: start, count: raw.count))
        used += raw.count
    }

    private mutating func flush() throws(StoreError) {
        try Files.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<used]), to: descriptor, path: path)
        used = 0
    }
}
