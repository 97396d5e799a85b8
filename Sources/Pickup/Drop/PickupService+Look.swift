import Foundation
import Logging

/// One look into the folder, and what becomes of each file in it.
extension PickupService {
    /// Messages in hand at once.
    static let concurrency = 4
    /// Messages that one look takes; the next look follows at once.
    static let batch = 100

    /// Takes what is there. Blocks for the files; runs on the pool.
    /// - Returns: whether there may be more.
    func look() async -> Bool {
        let names: [String]
        do {
            names = try settings.folder.names(limit: .max)
        } catch {
            logger.error("maildrop cannot be read", metadata: ["error": "\(error)"])
            return false
        }
        let batch = due(names)
        if batch.count < Self.batch { sweep() }
        await withTaskGroup(of: Void.self) { group in
            for (index, name) in batch.enumerated() {
                if index >= Self.concurrency { await group.next() }
                if Task.isCancelled { break }
                group.addTask(executorPreference: self.pool) { await self.one(name) }
            }
        }
        return batch.count == Self.batch
    }

    /// What can be taken now. Files that somebody never finishes keep nobody's mail waiting.
    private func due(_ names: [String]) -> [String] {
        let now = ContinuousClock.now
        let due = state.withLock { state in
            let there = Set(names)
            state.waiting = state.waiting.filter { there.contains($0.key) }
            state.stuck.formIntersection(there)
            return names.filter { name in !state.stuck.contains(name) && state.waiting[name].map { $0.until <= now } ?? true }
        }
        return Array(due.lazy.filter { !self.settings.folder.isUnfinished($0) }.prefix(Self.batch))
    }

    private func sweep() {
        guard let old = try? settings.folder.abandoned(before: Date() - settings.abandonedAfter) else { return }
        for name in old { settings.folder.remove(name) }
    }

    /// Afterwards the file is gone, put aside, or put off.
    private func one(_ name: String) async {
        do throws(DropError) {
            let message = try settings.folder.read(name, sizeLimit: settings.sizeLimit, spoolFolder: settings.spoolFolder)
            switch await take(message) {
            case .done: remove(name)
            case .later(let why): putOff(name, why)
            }
        } catch .notReady {
            // Whole by its mode, and yet its owner took the group's right to read away.
            if !settings.folder.isUnfinished(name) { setAside(name, .damaged("closed to its reader")) }
        } catch {
            if case .system = error { putOff(name, error.description) } else { setAside(name, error) }
        }
    }

    /// What cannot be removed is at least not taken again and again.
    private func remove(_ name: String) {
        if settings.folder.remove(name) { return }
        logger.error("maildrop: taken, but it cannot be removed: the next start would take it again", metadata: ["file": "\(name)"])
        state.withLock { _ = $0.stuck.insert(name) }
    }

    private func setAside(_ name: String, _ error: DropError) {
        guard settings.folder.setAside(name) else { return putOff(name, "\(error), and it cannot be put aside") }
        logger.error("maildrop: not taken, and put aside", metadata: ["file": "\(DropFolder.damagedPrefix + name)", "error": "\(error)"])
    }

    private func putOff(_ name: String, _ why: String) {
        let delay = state.withLock { state in
            let delay = min((state.waiting[name]?.delay ?? .seconds(30)) * 2, .seconds(1000))
            state.waiting[name] = (.now + delay, delay)
            return delay
        }
        logger.notice("maildrop: put off", metadata: ["file": "\(name)", "seconds": "\(delay.components.seconds)", "why": "\(why)"])
    }
}
