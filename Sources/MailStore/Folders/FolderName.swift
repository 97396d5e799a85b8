import InternetMessage

/// A mailbox name: `INBOX`, or levels joined by `/` (`Archive/2026`). Checked to be safe as a file name.
public struct FolderName: Sendable, Hashable, CustomStringConvertible {
    /// The levels in Unicode; `["INBOX"]` for the inbox.
    public let levels: [String]

    public static let separator: Character = "/"
    public static let inbox = FolderName(uncheckedLevels: ["INBOX"])

    /// Octets of a folder's name on disk (NAME_MAX).
    private static let longest = 255

    private init(uncheckedLevels: [String]) { levels = uncheckedLevels }

    /// From the name a user sees, in Unicode.
    /// - Parameter separator: what stands between the levels: `/`, or `.`.
    /// - Throws: ``StoreError/invalidName(_:reason:)``: empty levels, `.` (Maildir++'s own separator) or `/` in one, control
    ///   characters, or more than 255 octets on disk.
    public init(_ name: String, separator: Character = FolderName.separator) throws(StoreError) {
        // By scalars: a slash with a combining mark behind it is another Character, and still a slash to the file system.
        let scalar = separator.unicodeScalars.first ?? "/"
        let parts = name.unicodeScalars.split(separator: scalar, omittingEmptySubsequences: false).map { String($0) }
        func refuse(_ reason: String) -> StoreError { .invalidName(String(name.prefix(80)), reason: reason) }
        guard !parts.contains("") else { throw refuse("a level of the hierarchy is empty") }
        for part in parts {
            guard !part.utf8.contains(46) else { throw refuse("'.' separates levels on disk; use another character") }
            guard !part.utf8.contains(47) else { throw refuse("'/' cannot stand in a file's name; levels have '\(separator)' between them") }
            guard !part.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else { throw refuse("it has a control character") }
        }
        // INBOX is matched without regard to case (RFC 3501 §5.1), as is the first level of its children.
        levels = parts[0].uppercased() == "INBOX" ? ["INBOX"] + parts.dropFirst() : parts
        guard storageName.utf8.count <= Self.longest else { throw refuse("it is longer than a file name may be") }
    }

    /// From the folder's name on disk, `.Archive.2026`; nil for what is no Maildir++ folder.
    init?(storageName: String) {
        guard storageName.hasPrefix("."), storageName.utf8.count > 1, storageName.utf8.count <= Self.longest else { return nil }
        var decoded: [String] = []
        for part in storageName.unicodeScalars.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map({ Substring($0) }) {
            // Names that are not mUTF-7 came from another program: shown as they are when they are safe.
            guard !part.isEmpty, !part.utf8.contains(47), let level = ModifiedUTF7.decode(part.utf8) else { return nil }
            decoded.append(level)
        }
        guard !decoded.contains(where: { $0.utf8.contains(47) || $0.utf8.contains(46) }) else { return nil }
        levels = decoded
    }

    /// From the levels in a subscription file.
    init?(storageLevels: [String]) {
        self.init(storageName: "." + storageLevels.joined(separator: "."))
    }

    public var isInbox: Bool { levels == ["INBOX"] }

    /// `Archive/2026`, in Unicode.
    public var description: String { levels.joined(separator: "/") }
    public func text(separator: Character) -> String { levels.joined(separator: String(separator)) }

    var storageLevels: [String] { levels.map { ModifiedUTF7.encode($0) } }

    /// The folder's name under the account's Maildir: empty for the inbox, else `.Archive.2026`.
    var storageName: String { isInbox ? "" : "." + storageLevels.joined(separator: ".") }

    public func isBelow(_ other: FolderName) -> Bool { levels.count > other.levels.count && levels.starts(with: other.levels) }

    /// The same place below another parent, for renames.
    public func moved(from old: FolderName, to new: FolderName) throws(StoreError) -> FolderName {
        try FolderName((new.levels + levels.dropFirst(old.levels.count)).joined(separator: "/"))
    }
}
