import IMAPCore
import MailStore

/// Answers LIST and LSUB from an account's folders. Pure.
struct FolderListing {
    private struct Row {
        let name: MailboxName
        let exists: Bool
        let hasChildren: Bool
        let isSubscribed: Bool
        var specialUse: ListEntry.Attribute? { exists ? SpecialUse.attribute(of: name.text) : nil }
    }

    private static let delimiter: Unicode.Scalar = "/"
    private let rows: [Row]
    private let subscribed: [String]

    init(folders: [FolderSummary], subscribed: [FolderName]) {
        let known = Set(folders.map(\.name))
        rows = folders.map { Row(name: MailboxName($0.name.description), exists: $0.exists, hasChildren: $0.hasChildren, isSubscribed: $0.isSubscribed) }
            + subscribed.filter { !known.contains($0) }.map { Row(name: MailboxName($0.description), exists: false, hasChildren: false, isSubscribed: true) }
        self.subscribed = subscribed.map(\.description)
    }

    /// RFC 3501 §6.3.8, RFC 5258, RFC 6154.
    func list(_ request: ListRequest) -> [ListEntry] {
        // An empty pattern asks for the delimiter and the root only.
        if request.patterns == [""] { return [ListEntry(MailboxName(""), delimiter: "/", attributes: [.noSelect])] }
        let patterns = request.patterns.map { ListPattern(request.reference + $0, delimiter: Self.delimiter) }
        return rows.compactMap { row in patterns.contains { $0.matches(row.name) } ? entry(row, request) : nil }
    }

    private func entry(_ row: Row, _ request: ListRequest) -> ListEntry? {
        let wantsSubscribed = request.selection.contains(.subscribed)
        var childInfo: [ListRequest.Selection] = []
        if wantsSubscribed, request.selection.contains(.recursiveMatch), subscribed.contains(where: { $0.hasPrefix(row.name.text + "/") }) {
            childInfo = [.subscribed]
        }
        if wantsSubscribed, !row.isSubscribed, childInfo.isEmpty { return nil }
        // A folder that is only subscribed shows only where subscriptions are asked for.
        if !wantsSubscribed, !row.exists, !row.hasChildren { return nil }
        if request.selection.contains(.specialUse), row.specialUse == nil { return nil }
        var attributes: [ListEntry.Attribute] = []
        if !row.exists { attributes.append(request.isExtended ? .nonExistent : .noSelect) }
        attributes.append(row.hasChildren ? .hasChildren : .hasNoChildren)
        if row.isSubscribed, wantsSubscribed || request.returns.contains(.subscribed) { attributes.append(.subscribed) }
        if let use = row.specialUse { attributes.append(use) }
        return ListEntry(row.name, delimiter: "/", attributes: attributes, childInfo: childInfo)
    }

    /// RFC 3501 §6.3.9: with `%`, a parent that is not subscribed stands for its subscribed children, as `\Noselect`.
    func lsub(reference: String, pattern: String) -> [ListEntry] {
        let pattern = ListPattern(reference + pattern, delimiter: Self.delimiter)
        var seen: Set<String> = []
        var entries: [ListEntry] = []
        for name in subscribed {
            if pattern.matches(MailboxName(name)) {
                if seen.insert(name).inserted { entries.append(ListEntry(MailboxName(name), delimiter: "/", attributes: [])) }
                continue
            }
            for parent in Self.parents(of: name) where pattern.matches(MailboxName(parent)) && !subscribed.contains(parent) {
                if seen.insert(parent).inserted { entries.append(ListEntry(MailboxName(parent), delimiter: "/", attributes: [.noSelect])) }
            }
        }
        return entries
    }

    private static func parents(of name: String) -> [String] {
        let levels = name.split(separator: "/")
        return (1..<max(levels.count, 1)).map { levels.prefix($0).joined(separator: "/") }
    }
}
