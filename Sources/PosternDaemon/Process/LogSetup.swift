import Foundation
import Logging
import Synchronization

/// Logging to standard error in logfmt or JSON: one line an event, values quoted and escaped, so that nothing a stranger sends
/// can make a second line or another field.
public enum LogSetup {
    /// - Returns: the threshold of all loggers, which a reload can move.
    @discardableResult
    public static func bootstrap(level: LogLevelName, format: LogFormat = .logfmt) -> LogThreshold {
        let threshold = LogThreshold(level, format: format)
        LoggingSystem.bootstrap { LogfmtHandler(label: $0, threshold: threshold) }
        return threshold
    }
}

/// The least level that is logged, shared by every logger.
public final class LogThreshold: Sendable {
    private let raw: Atomic<Int>
    let format: LogFormat
    /// What was logged as a warning or worse.
    public let problems = RecentProblems()

    public init(_ level: LogLevelName, format: LogFormat = .logfmt) {
        raw = Atomic(Self.number(level))
        self.format = format
    }

    public var level: Logger.Level {
        let number = raw.load(ordering: .relaxed)
        return Logger.Level.allCases.indices.contains(number) ? Logger.Level.allCases[number] : .info
    }

    public func set(_ level: LogLevelName) { raw.store(Self.number(level), ordering: .relaxed) }

    private static func number(_ level: LogLevelName) -> Int {
        Logger.Level.allCases.firstIndex { $0.rawValue == level.rawValue } ?? 0
    }
}

/// `time=2026-11-23T10:00:00.123Z level=info from=smtp event="message accepted" id=…`
public struct LogfmtHandler: LogHandler {
    /// The common threshold unless this logger was given its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }
    private var ownLevel: Logger.Level?
    private let threshold: LogThreshold
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String

    public init(label: String, threshold: LogThreshold = LogThreshold(.info)) {
        self.label = label
        self.threshold = threshold
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        write(level: event.level, message: event.message, metadata: event.metadata)
    }

    public func log(level: Logger.Level, message: Logger.Message, metadata explicit: Logger.Metadata?, source: String,
                    file: String, function: String, line: UInt) {
        write(level: level, message: message, metadata: explicit)
    }

    private func write(level: Logger.Level, message: Logger.Message, metadata explicit: Logger.Metadata?) {
        let all = metadata.isEmpty ? explicit ?? [:] : metadata.merging(explicit ?? [:]) { $1 }
        let fields = all.map { (name: $0.key, value: Self.text($0.value)) }.sorted { $0.name < $1.name }
        let time = Self.timestamp()
        if level >= .warning {
            let words = fields.map { "\($0.name)=\(Self.value($0.value))" }.joined(separator: " ")
            threshold.problems.note(.init(time: time, level: level.rawValue, event: String("\(message)".prefix(300)), fields: words))
        }
        var text = LogLine.make(threshold.format, time: time, level: level.rawValue, label: label, event: "\(message)", fields: fields)
        // One write per line: lines of several threads never mix.
        text.withUTF8 { _ = Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func text(_ value: Logger.MetadataValue) -> String {
        if case .string(let text) = value { text } else { "\(value)" }
    }

    /// Bare when it is a plain word; else quoted, with control characters, quotes and backslashes escaped. Bounded.
    static func value(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 61 && $0 != 92 }
        if plain, !text.isEmpty, text.utf8.count <= 256 { return text }
        return LogLine.quoted(text) { "\\u{\(String($0.value, radix: 16))}" }
    }

    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(milliseconds)Z"
    }
}
