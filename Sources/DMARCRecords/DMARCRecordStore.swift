import DMARC
import Dispatch
import Foundation
import GRDB
import StateFiles
import Synchronization

/// The rows of evaluated messages, in SQLite, until they are too old.
///
/// ``record(_:)`` only fills a bounded buffer; rows are written together each second and at ``close()``. A crash loses
/// those of the last second, which is fit for statistics: nothing that a client was promised rests on them.
public final class DMARCRecordStore: DMARCEvaluationRecorder, BufferedStore {
    public struct Options: Sendable {
        /// Rows older than this are removed.
        public var keep: Duration = .seconds(30 * 86_400)
        /// Rows that may wait; more are dropped and counted.
        public var bufferLimit = 20_000
        /// nil: until ``DMARCRecordStore/flush()`` or ``DMARCRecordStore/close()``.
        public var flushInterval: Duration? = .seconds(1)
        /// Told when rows could not be written or were dropped.
        public var report: @Sendable (String) -> Void = { _ in }
        /// Seconds since 1970.
        public var now: @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }
        public init() {}
    }

    private struct State {
        var waiting: [DMARCEvaluationRecord] = []
        var dropped = 0
        var isClosed = false
        var nextPurge = 0
    }

    package let database: DatabaseQueue
    private let options: Options
    private let state = Mutex(State())
    private static let purgeInterval = 3600

    /// Opens the file, making it when there is none. Blocks.
    /// - Throws: ``DMARCRecordError``.
    public init(path: String, options: Options = Options()) throws(DMARCRecordError) {
        database = try RecordDatabase.open(path)
        self.options = options
        write(every: options.flushInterval, on: DispatchQueue(label: "postern.dmarc.flush", qos: .utility))
    }

    deinit { writeWhatWaits() }

    public func record(_ evaluation: DMARCEvaluationRecord) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if state.waiting.count < options.bufferLimit { state.waiting.append(evaluation) } else { state.dropped += 1 }
        }
    }

    /// Writes what waits, and removes what is too old once an hour. Blocks.
    /// - Throws: SQLite's error; the rows wait on then.
    public func flush() throws {
        let (rows, dropped, purges) = state.withLock { state in
            defer { (state.waiting, state.dropped) = ([], 0) }
            return (state.waiting, state.dropped, options.now() >= state.nextPurge)
        }
        if dropped > 0 { options.report("\(dropped) rows were dropped: more than \(options.bufferLimit) came before they could be written") }
        guard !rows.isEmpty || purges else { return }
        do {
            try database.write { db in
                for row in rows { try RecordDatabase.insert(db, row) }
                if purges { try RecordDatabase.purge(db, before: options.now() - Int(options.keep.components.seconds)) }
            }
            if purges { state.withLock { $0.nextPurge = options.now() + Self.purgeInterval } }
        } catch {
            state.withLock { state in state.waiting.insert(contentsOf: rows.prefix(max(options.bufferLimit - state.waiting.count, 0)), at: 0) }
            throw error
        }
    }

    /// Writes what waits and takes no more. Blocks.
    public func close() { end() }

    package var report: @Sendable (String) -> Void { options.report }
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    package func endTaking() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }

    /// All rows since a time, oldest first. Blocks.
    public func rows(since: Int = 0, limit: Int = 100_000) throws -> [DMARCEvaluationRecord] {
        try database.read { try RecordDatabase.rows($0, since: since, limit: limit) }
    }

    /// By domain and source, those with most messages first. Blocks.
    /// - Parameter path: the file, which need not exist: then there is nothing.
    public static func summaries(path: String, since: Int, limit: Int = 1000) throws(DMARCRecordError) -> [DMARCSourceSummary] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            let database = try DatabaseFile.openReading(path)
            defer { try? database.close() }
            return try database.read { try RecordDatabase.summaries($0, since: since, limit: limit) }
        } catch { throw DMARCRecordError(path: path, reason: "\(error)") }
    }
}

/// The file cannot be used.
public struct DMARCRecordError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ error: StateFileError) { self.init(path: error.path, reason: error.reason) }

    public var description: String { "the DMARC rows in \(path) cannot be opened or read: \(reason)" }
}
