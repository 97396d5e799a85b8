import IMAPCore
import MailStore

/// Answers LIST and LSUB from an account's folders. Pure.
struct FolderListing {
    private struct Row {
        let name: MailboxName
        let exists: Bool
        let hasChildren: Bool
        let isSubscribed: Bool
        let uses: [ListEntry.Attribute]
    }

    private let separator: Character
    private let delimiter: Unicode.Scalar
    private let rows: [Row]
    private let subscribed: [String]

    /// - Parameter uses: what folders are for, by name.
    init(folders: [FolderSummary], subscribed: [FolderName], uses: [FolderName: [ListEntry.Attribute]] = [:], separator: Character = FolderName.separator) {
        self.separator = separator
        delimiter = separator.unicodeScalars.first ?? "/"
        func name(_ folder: FolderName) -> MailboxName { MailboxName(folder.text(separator: separator)) }
        let known = Set(folders.map(\.name))
        rows = folders.map { Row(name: name($0.name), exists: $0.exists, hasChildren: $0.hasChildren, isSubscribed: $0.isSubscribed, uses: uses[$0.name] ?? []) }
            + subscribed.filter { !known.contains($0) }.map { Row(name: name($0), exists: false, hasChildren: false, isSubscribed: true, uses: []) }
        self.subscribed = subscribed.map { $0.text(separator: separator) }
    }

    /// RFC 3501 §6.3.8, RFC 5258, RFC 6154.
    func list(_ request: ListRequest) -> [ListEntry] {
        // An empty pattern asks for the delimiter and the root only.
        if request.patterns == [""] { return [ListEntry(MailboxName(""), delimiter: separator, attributes: [.noSelect])] }
        let patterns = request.patterns.map { ListPattern(request.reference + $0, delimiter: delimiter) }
        let matched = rows.filter { row in patterns.contains { $0.matches(row.name) } }
        let names = Set(matched.map(\.name.text))
        return matched.compactMap { entry($0, request, matched: names) }
    }

    /// One folder with all its attributes, whether it exists or not (RFC 5465 §5.4 and §5.5).
    func entry(of folder: FolderName, oldName: FolderName? = nil) -> ListEntry {
        let name = MailboxName(folder.text(separator: separator))
        let row = rows.first { $0.name == name } ?? Row(name: name, exists: false, hasChildren: false, isSubscribed: false, uses: [])
        var attributes: [ListEntry.Attribute] = row.exists ? [] : [.nonExistent]
        attributes.append(row.hasChildren ? .hasChildren : .hasNoChildren)
        if row.isSubscribed { attributes.append(.subscribed) }
        return ListEntry(name, delimiter: separator, attributes: attributes + row.uses, oldName: oldName.map { MailboxName($0.text(separator: separator)) })
    }

    /// - Parameter matched: the names that match the patterns: a name that stands only for those below it is left out when
    ///   they show themselves (RFC 5258 §3.3 item 2B, §3.5).
    private func entry(_ row: Row, _ request: ListRequest, matched: Set<String>) -> ListEntry? {
        let wantsSubscribed = request.selection.contains(.subscribed)
        var childInfo: [ListRequest.Selection] = []
        if wantsSubscribed, request.selection.contains(.recursiveMatch) {
            let below = subscribed.filter { $0.hasPrefix(row.name.text + String(separator)) }
            if row.isSubscribed ? !below.isEmpty : below.contains(where: { !matched.contains($0) }) { childInfo = [.subscribed] }
        }
        if wantsSubscribed, !row.isSubscribed, childInfo.isEmpty { return nil }
        // A folder that is only subscribed shows only where subscriptions are asked for.
        if !wantsSubscribed, !row.exists {
            guard rows.contains(where: { $0.exists && $0.name.text.hasPrefix(row.name.text + String(separator)) && !matched.contains($0.name.text) }) else { return nil }
        }
        if request.selection.contains(.specialUse), row.uses.isEmpty { return nil }
        var attributes: [ListEntry.Attribute] = []
        if !row.exists { attributes.append(request.isExtended ? .nonExistent : .noSelect) }
        attributes.append(row.hasChildren ? .hasChildren : .hasNoChildren)
        if row.isSubscribed, wantsSubscribed || request.returns.contains(.subscribed) { attributes.append(.subscribed) }
        attributes += row.uses
        return ListEntry(row.name, delimiter: separator, attributes: attributes, childInfo: childInfo)
    }

    /// RFC 3501 §6.3.9: with `%`, a parent that is not subscribed stands for its subscribed children, as `\Noselect`.
    func lsub(reference: String, pattern: String) -> [ListEntry] {
        let pattern = ListPattern(reference + pattern, delimiter: delimiter)
        var seen: Set<String> = []
        var entries: [ListEntry] = []
        for name in subscribed {
            if pattern.matches(MailboxName(name)) {
                if seen.insert(name).inserted { entries.append(ListEntry(MailboxName(name), delimiter: separator, attributes: [])) }
                continue
            }
            for parent in parents(of: name) where pattern.matches(MailboxName(parent)) && !subscribed.contains(parent) {
                if seen.insert(parent).inserted { entries.append(ListEntry(MailboxName(parent), delimiter: separator, attributes: [.noSelect])) }
            }
        }
        return entries
    }

    private func parents(of name: String) -> [String] {
        let levels = name.split(separator: separator)
        return (1..<max(levels.count, 1)).map { levels.prefix($0).joined(separator: String(separator)) }
    }
}
