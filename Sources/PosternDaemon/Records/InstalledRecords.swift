import DecisionRecords
import Logging

/// The decision records of an installation.
public enum InstalledRecords {
    static func file(_ settings: Settings) -> String { settings[Known.dataDirectory].path + "/decisions.sqlite" }

    /// nil: none are kept.
    static func open(_ settings: Settings, _ logger: Logger) throws -> DecisionRecordStore? {
        let lifetime = settings[Known.decisionRecordLifetime]
        guard lifetime.seconds > 0 else { return nil }
        var options = DecisionRecordStore.Options()
        options.keep = lifetime.duration
        options.report = { logger.error("decision records", metadata: ["error": "\($0)"]) }
        return try DecisionRecordStore(path: file(settings), options: options)
    }

    /// For reading, beside a gateway that runs or without one. Blocks.
    /// - Throws: ``DecisionRecordError``.
    public static func archive(_ settings: Settings) throws -> DecisionArchive { try DecisionArchive(path: file(settings)) }
}
