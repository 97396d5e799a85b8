/// What one check found, in plain words.
public struct CheckFinding: Sendable, Hashable, Encodable {
    public enum Verdict: String, Sendable, Hashable, Encodable {
        case ok
        /// Well, and worth a word.
        case note
        /// To be mended.
        case wrong
        /// It could not be found out; why, in the text.
        case unknown
        /// Not asked, because somebody said so.
        case skipped
    }

    /// How a record stands in the DNS.
    public enum Standing: String, Sendable, Hashable, Encodable { case present, missing, wrong, unknown }

    /// How much is lost while it is wrong; what is more important is mended first.
    public enum Importance: Int, Sendable, Hashable, Encodable, Comparable {
        /// Comfort.
        case minor = 1
        /// Mail is trusted less, or read by others.
        case trust = 2
        /// Others refuse our mail.
        case sending = 3
        /// Mail to us, or our users, are turned away.
        case receiving = 4
        /// Mail may be lost, or nothing works.
        case safety = 5

        public static func < (a: Importance, b: Importance) -> Bool { a.rawValue < b.rawValue }
    }

    /// Names the check, for scripts: `mx`.
    public let check: String
    /// What it is about: a domain, an address, a file.
    public let subject: String
    public let verdict: Verdict
    public let importance: Importance
    public let text: String
    /// What to do about it.
    public let remedy: String?
    /// For checks of records.
    public let record: Standing?
    /// Why it matters.
    public let why: String?

    public init(_ check: String, _ subject: String, _ verdict: Verdict, _ importance: Importance, _ text: String, remedy: String? = nil,
                record: Standing? = nil, why: String? = nil) {
        self.check = check
        self.subject = subject
        self.verdict = verdict
        self.importance = importance
        self.text = text
        self.remedy = remedy
        self.record = record
        self.why = why
    }
}

/// What a run of checks comes to.
public struct CheckReport: Sendable, Hashable, Encodable {
    public let findings: [CheckFinding]
    /// What to mend, most important first.
    public let fixes: [CheckFinding]
    public let status: Int32

    /// - Parameter findings: in the order of their checks.
    public init(_ findings: [CheckFinding]) {
        self.findings = findings
        // Of equal importance, as they came.
        fixes = findings.filter { $0.verdict == .wrong }.enumerated()
            .sorted { ($1.element.importance.rawValue, $0.offset) < ($0.element.importance.rawValue, $1.offset) }.map(\.element)
        status = !fixes.isEmpty ? 1 : findings.contains { $0.verdict == .unknown } ? 2 : 0
    }
}
