import Dispatch
import Foundation
import GRDB
import SMTPClient
import StateFiles
import Synchronization

/// Counts of TLS sessions by domain and day, in SQLite, until they are too old.
///
/// ``observe(_:)`` only counts in memory; what was counted is written every few seconds and at ``close()``. A crash loses
/// those of the last seconds, which is fit for statistics.
public final class TLSReportStore: BufferedStore {
    public struct Options: Sendable {
        /// Days that are kept.
        public var keepDays = 30
        /// Kinds of session that may wait to be written; of further ones nothing is counted.
        public var bufferLimit = 10_000
        /// nil: until ``TLSReportStore/flush()`` or ``TLSReportStore/close()``.
        public var flushInterval: Duration? = .seconds(5)
        /// Told when rows could not be written.
        public var report: @Sendable (String) -> Void = { _ in }
        public var now: @Sendable () -> Date = { Date() }
        public init() {}
    }

    private struct State {
        var counts: [TLSReportRow: Int] = [:]
        var isClosed = false
    }

    package let database: DatabaseQueue
    private let options: Options
    private let state = Mutex(State())

    /// Opens the file, making it when there is none. Blocks.
    /// - Throws: ``TLSReportError``.
    public init(path: String, options: Options = Options()) throws(TLSReportError) {
        database = try TLSReportDatabase.open(path)
        self.options = options
        write(every: options.flushInterval, on: DispatchQueue(label: "postern.tlsrpt.flush", qos: .utility))
    }

    public func observe(_ seen: TLSObservation) {
        let kind = TLSReportRow(day: Self.day(options.now()), seen).kind
        state.withLock { state in
            guard !state.isClosed, state.counts[kind] != nil || state.counts.count < options.bufferLimit else { return }
            state.counts[kind, default: 0] += 1
        }
    }

    /// Writes what was counted and removes what is too old. Blocks.
    /// - Throws: SQLite's error; the counts wait on then.
    public func flush() throws {
        let counts = state.withLock { state in
            defer { state.counts = [:] }
            return state.counts
        }
        guard !counts.isEmpty else { return }
        let oldest = Self.day(options.now().addingTimeInterval(-Double(options.keepDays) * 86_400))
        do {
            try database.write { db in
                for (kind, sessions) in counts { try TLSReportDatabase.add(db, kind, sessions) }
                try TLSReportDatabase.purge(db, before: oldest)
            }
        } catch {
            state.withLock { $0.counts.merge(counts) { $0 + $1 } }
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

    /// Rows of the days from one on, oldest first. Blocks.
    /// - Parameters:
    ///   - path: the file, which need not exist: then there is nothing.
    ///   - until: the last day.
    public static func rows(path: String, from: String, until: String = "9999", domain: String? = nil) throws(TLSReportError) -> [TLSReportRow] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            let database = try DatabaseFile.openReading(path)
            defer { try? database.close() }
            return try database.read { try TLSReportDatabase.rows($0, from: from, until: until, domain: domain) }
        } catch { throw TLSReportError(path: path, reason: "\(error)") }
    }

    /// A time's day in UTC.
    public static func day(_ time: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: time)
        return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }
}

/// The file cannot be used.
public struct TLSReportError: Error, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ error: StateFileError) { self.init(path: error.path, reason: error.reason) }

    public var description: String { "the TLS session counts in \(path) cannot be opened or read: \(reason)" }
}
