import InternetMessage
import Synchronization

/// The message that is coming in.
///
/// The lock never waits: the event loop appends, and reads nothing more while a thread of the pool spills or finishes.
final class IncomingContent: Sendable {
    private let assembler: Mutex<MessageAssembler?>

    init(memoryLimit: Int, spoolFolder: String) {
        assembler = Mutex(MessageAssembler(memoryLimit: memoryLimit, spoolFolder: spoolFolder))
    }

    /// - Returns: whether the content now wants to be spilled.
    /// - Throws: ``MessageAssembler/Failure``.
    func append(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        try assembler.withLock { assembler in
            try assembler?.append(bytes)
            return assembler?.wantsSpill ?? false
        }
    }

    /// Blocks. - Throws: ``SpoolFile/Failure``.
    func spill() throws { try assembler.withLock { try $0?.spill() } }

    /// The message, once. Blocks when it was spilled. - Throws: ``SpoolFile/Failure``.
    func finish() throws -> Message {
        guard let whole = assembler.withLock({ $0.take() }) else { return Message() }
        return try whole.finish()
    }
}
