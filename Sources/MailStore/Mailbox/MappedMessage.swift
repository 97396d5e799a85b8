#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A message's octets with CRLF line ends, all at once: a small message in memory, a large one in a nameless file that is
/// mapped, so that the system keeps no more of it than it wants to.
public final class MappedMessage: ExpressibleByArrayLiteral, Sendable {
    /// Messages of at least so many octets are mapped.
    public static let threshold = 1 << 20

    /// Sendable by proof: set once, never written through, unmapped when nobody refers to the object any more.
    private nonisolated(unsafe) let mapping: UnsafeRawBufferPointer?
    private let memory: [UInt8]

    public init(_ memory: [UInt8]) {
        self.memory = memory
        mapping = nil
    }

    public convenience init(arrayLiteral elements: UInt8...) { self.init(elements) }

    /// Takes the mapping over.
    fileprivate init(mapping: UnsafeRawBufferPointer) {
        memory = []
        self.mapping = mapping
    }

    deinit {
        if let mapping { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count) }
    }

    public var count: Int { mapping?.count ?? memory.count }

    /// For the duration of the call. What was looked at of a mapping is let go of afterwards.
    public func withUnsafeBytes<Value, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Value) throws(Failure) -> Value {
        guard let mapping else {
            let result = memory.withUnsafeBytes { raw -> Result<Value, Failure> in
                do throws(Failure) { return .success(try body(raw)) } catch { return .failure(error) }
            }
            return try result.get()
        }
        defer { madvise(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count, MADV_DONTNEED) }
        return try body(mapping)
    }
}

extension MessageFile {
    /// Where a nameless copy lies: on the mail's own disk.
    private var folderForCopies: String { Files.parent(of: Files.parent(of: path)) + "/tmp" }

    /// The whole message. Blocks.
    /// - Throws: ``StoreError/system(call:path:code:)``, also when there is no room for the copy of a large one.
    public func contents() throws(StoreError) -> MappedMessage {
        guard physicalSize >= MappedMessage.threshold else { return MappedMessage(try bytes()) }
        let copy = try Files.nameless(in: folderForCopies)
        defer { close(copy) }
        var reader = reader(), size = 0
        while let piece = try reader.next() {
            try Files.writeWhole(piece, to: copy, path: folderForCopies)
            size += piece.count
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, copy, 0), start != MAP_FAILED else { throw Files.failure("mmap", folderForCopies) }
        madvise(start, size, Int32(MADV_SEQUENTIAL))
        return MappedMessage(mapping: UnsafeRawBufferPointer(start: start, count: size))
    }
}
