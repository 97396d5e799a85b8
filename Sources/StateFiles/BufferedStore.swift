import Dispatch
import GRDB

/// A store whose calls only fill a buffer, which is written at intervals and at the end.
package protocol BufferedStore: AnyObject, Sendable {
    var database: DatabaseQueue { get }
    /// Told what could not be written.
    var report: @Sendable (String) -> Void { get }
    var isClosed: Bool { get }
    /// From now on nothing is taken.
    /// - Returns: whether it was until now.
    func endTaking() -> Bool
    /// Writes what waits. Blocks.
    func flush() throws
}

extension BufferedStore {
    /// Writes at each interval for as long as the store is open; not by itself where there is none.
    package func write(every interval: Duration?, on queue: DispatchQueue) {
        guard let interval else { return }
        Repeating.every(interval, on: queue, of: self) { $0.writeWhatWaits() }
    }

    /// Blocks.
    /// - Returns: whether the store is open.
    @discardableResult
    package func writeWhatWaits() -> Bool {
        guard !isClosed else { return false }
        do { try flush() } catch { report("\(error)") }
        return true
    }

    /// Writes what waits and takes no more. Blocks.
    package func end() {
        writeWhatWaits()
        if endTaking() { try? database.close() }
    }
}
