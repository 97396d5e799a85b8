import InternetMessage
import NIOConcurrencyHelpers

/// A message's content while it comes in: filled on the event loop, spilled and finished on the pool.
final class ContentCollector: @unchecked Sendable {
    // Sendable by proof: `assembler` and `isHeaderTooLarge` are touched only while `lock` is held. (`Mutex` would say so
    // by itself, but does not let the octets of a read, which belong to the event loop, into its closure.)
    private let lock = NIOLock()
    private var assembler: MessageAssembler?
    private var isHeaderTooLarge = false
    private let limit: Int

    /// - Parameter limit: octets; what goes past it is not kept.
    init(limit: Int, memoryLimit: Int, spoolFolder: String) {
        self.limit = limit
        assembler = MessageAssembler(memoryLimit: memoryLimit, spoolFolder: spoolFolder)
    }

    /// - Returns: whether the content is still within the limit.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        lock.withLock {
            guard !isHeaderTooLarge else { return true }
            guard let count = assembler?.count, count + bytes.count <= limit else {
                assembler = nil
                return false
            }
            do { try assembler?.append(bytes) } catch {
                isHeaderTooLarge = true
                assembler = nil
            }
            return true
        }
    }

    var wantsSpill: Bool { lock.withLock { assembler?.wantsSpill ?? false } }

    /// Blocks.
    func spill() throws { try lock.withLock { try assembler?.spill() } }

    /// Blocks when it was spilled.
    /// - Throws: ``MessageAssembler/Failure/headerTooLarge``, ``SpoolFile/Failure``.
    func finish() throws -> Message {
        try lock.withLock {
            guard let taken = assembler.take() else { throw MessageAssembler.Failure.headerTooLarge }
            return try taken.finish()
        }
    }
}
