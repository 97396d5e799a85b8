#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension MailboxState {
    /// Gives what changed its mod-sequence. Called before a snapshot leaves the lock; costs nothing when nothing changed.
    mutating func settleModSequences() {
        guard list != nil else { return }
        if snapshot.uidValidity != settledValidity { modSequences = nil }
        guard modSequences == nil || snapshot.generation != settledGeneration else { return }
        let now = Self.microseconds()
        if modSequences == nil {
            loadModSequences(now)
        } else if var known = modSequences {
            let output = known.settle(&snapshot.messages, now: now)
            modSequences = known
            write(output)
        }
        settledGeneration = snapshot.generation
        settledValidity = snapshot.uidValidity
        if let modSequences {
            snapshot.highestModSequence = modSequences.highest
            snapshot.expunges = Expunges(horizon: modSequences.horizon, vanished: modSequences.vanished)
        }
    }

    private mutating func loadModSequences(_ now: UInt64) {
        // A log that speaks of another UIDVALIDITY does no harm: clients forget what they knew, and numbers only grow.
        let log = ((try? Files.contents(paths.modSequences)) ?? nil).flatMap { ModSequenceLog(parsing: $0) }
        var output = ModSequenceLines()
        modSequences = ModSequences(log ?? ModSequenceLog(horizon: now), messages: &snapshot.messages, now: now, output: &output)
        if log == nil { rewrite() } else { write(output) }
    }

    /// Nothing is lost when this fails (disk full, read-only): the next process gives newer numbers instead.
    private mutating func write(_ output: ModSequenceLines) {
        guard !output.isEmpty else { return }
        if modSequenceFileIsTorn || modSequences?.isStale == true { return rewrite() }
        do throws(StoreError) { try Files.appendQuickly(output.octets, to: paths.modSequences) } catch { modSequenceFileIsTorn = true }
    }

    private mutating func rewrite() {
        guard let lines = modSequences?.whole() else { return }
        do throws(StoreError) {
            try Files.replace(paths.modSequences, with: lines.octets)
            modSequenceFileIsTorn = false
            modSequences?.didRewrite()
        } catch { modSequenceFileIsTorn = true }
    }

    private static func microseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(max(now.tv_sec, 0)) * 1_000_000 + UInt64(now.tv_nsec / 1000)
    }
}
