/// One line of LIST (RFC 3501 §7.2.2).
public struct FolderSummary: Sendable, Hashable {
    public let name: FolderName
    /// Whether it can be selected; false for a parent that exists only in its children's names.
    public let exists: Bool
    public let hasChildren: Bool
    public let isSubscribed: Bool

    public init(name: FolderName, exists: Bool, hasChildren: Bool, isSubscribed: Bool) {
        self.name = name
        self.exists = exists
        self.hasChildren = hasChildren
        self.isSubscribed = isSubscribed
    }
}
