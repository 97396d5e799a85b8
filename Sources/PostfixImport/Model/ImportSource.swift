import PostfixDoctor

/// Everything an import is made from. Pure: files are read by what the caller hands in.
public struct ImportSource: Sendable {
    /// As `postconf -x` expands them.
    public var postfix: PostfixSettings
    /// Parameters that main.cf sets and no program of Postfix reads, which `postconf -n` leaves out and complains of.
    public var unused: [String: String]
    /// OpenDKIM's settings; nil where there are none.
    public var openDKIM: NamedText?
    public var openDMARC: NamedText?
    /// policyd-spf's settings.
    public var policydSPF: NamedText?
    /// What `doveconf -n` prints; nil without Dovecot.
    public var dovecot: NamedText?
    /// A file's text.
    public var read: @Sendable (_ path: String) throws -> String
    /// Our own settings.
    public var own: OwnSettings

    public init(postfix: PostfixSettings, unused: [String: String] = [:], own: OwnSettings, read: @escaping @Sendable (String) throws -> String) {
        self.postfix = postfix
        self.unused = unused
        self.own = own
        self.read = read
    }
}

/// A file that was read.
public struct NamedText: Sendable, Hashable {
    public let file: String
    public let text: String

    public init(file: String, text: String) {
        self.file = file
        self.text = text
    }
}

/// What our settings reader says of a value.
public struct OwnSettings: Sendable {
    public struct Verdict: Sendable, Hashable {
        /// Whether it is what holds without being written.
        public let isDefault: Bool
        public init(isDefault: Bool) { self.isDefault = isDefault }
    }
    /// - Throws: what is wrong with the value, in words: `message_size_limit must be 10000 or more`.
    public var judge: @Sendable (_ key: String, _ toml: String) throws -> Verdict

    public init(judge: @escaping @Sendable (String, String) throws -> Verdict) { self.judge = judge }
}

/// What keeps an import from being made at all.
public struct ImportFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
