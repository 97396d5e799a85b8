/// How far an archive is looked into. A message is a stranger's, and a few kilobytes can unpack to terabytes.
public struct ArchiveLimits: Sendable {
    /// Names, those of archives within included.
    public var entries = 2_000
    /// Octets unpacked, in all.
    public var bytes = 32 << 20
    /// Archives within archives.
    public var depth = 3
    /// Looked at between two steps; one step unpacks a block.
    public var time: Duration = .seconds(2)
    /// Octets of one name.
    public var nameLength = 255

    public init() {}
}

/// What an archive's listing says.
public struct ArchiveContents: Sendable, Hashable {
    /// Paths as they stand in the archive, each followed by those of an archive within it.
    public var names: [String] = []
    /// Something in it, or its listing, needs a password.
    public var isEncrypted = false
    /// It is broken, of no known kind, or a limit ended the look: there may be more names.
    public var isUnreadable = false

    public init() {}
}
