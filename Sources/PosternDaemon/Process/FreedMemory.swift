import BlockingPool
import CMemory

/// Keeps the process as large as what it holds.
///
/// glibc gives every thread that finds the others busy an arena of its own, up to eight for each processor, and keeps what
/// was freed in them: the threads of the pools, most of which wait for the disk, would each keep the largest message they
/// ever had.
enum FreedMemory {
    /// Between two looks for free pages. Each takes a millisecond or so, and a load that comes back finds its pages gone.
    static let interval = Duration.seconds(30)

    /// Before the first thread is made. Two for each processor that works at once.
    static func limitArenas(processors: Int) { postern_limit_arenas(Int32(clamping: max(processors, 1) * 2)) }

    /// Gives free pages back from time to time, until the task ends. Waits for the allocator's locks: on a thread of its own.
    static func giveBack() async {
        let pool = BlockingPool(threads: 1, name: "memory")
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            try? await pool.run { postern_give_back_memory() }
        }
    }
}
