import Foundation
import GRDB

/// A SQLite file of the data folder, readable by its owner alone.
public enum DatabaseFile {
    /// Opens the file in WAL mode, making it when there is none, and brings its tables up to date. Blocks.
    ///
    /// A commit survives the end of the process, but not always a power failure (`synchronous = NORMAL`): for what must,
    /// give `PRAGMA synchronous = FULL`.
    /// - Parameters:
    ///   - label: names its connections in traces.
    ///   - pragmas: SQL for each connection, after the usual.
    ///   - migrations: each step once in a file's life, in this order, under its name.
    /// - Throws: ``StateFileError``.
    public static func open(_ path: String, label: String, pragmas: String = "", migrations: [(name: String, sql: String)]) throws(StateFileError) -> DatabaseQueue {
        // SQLite gives its -wal and -shm files the mode of the main one.
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateFileError(path: path, reason: String(cString: strerror(errno))) }
        fchmod(descriptor, 0o600)
        close(descriptor)
        var configuration = Configuration()
        configuration.label = label
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL; " + pragmas) }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try migrator(migrations).migrate(queue)
            return queue
        } catch { throw StateFileError(path: path, reason: "\(error)") }
    }

    /// Opens a file that another process may be writing to, for reading. Blocks.
    /// - Throws: ``StateFileError``, also when there is no such file.
    public static func openReading(_ path: String) throws(StateFileError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do { return try DatabaseQueue(path: path, configuration: configuration) } catch { throw StateFileError(path: path, reason: "\(error)") }
    }

    /// The steps as GRDB takes them.
    public static func migrator(_ migrations: [(name: String, sql: String)]) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (name, sql) in migrations { migrator.registerMigration(name) { try $0.execute(sql: sql) } }
        return migrator
    }
}

/// A file of the data folder cannot be used.
public struct StateFileError: Error, Sendable, CustomStringConvertible {
    public let path: String
    /// In SQLite's or the system's words.
    public let reason: String
    public var description: String { "\(path) cannot be opened: \(reason)" }

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }
}
