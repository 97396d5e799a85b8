import IMAPCore
import MailStore

// METADATA (RFC 5464). Both `/private` and `/shared` belong to the account: its mailboxes are nobody else's.
extension IMAPSession {
    /// Octets of a value.
    static let metadataLimit = 16_384

    func getMetadata(_ tag: String, _ name: MailboxName, _ entries: [MetadataEntry], _ options: MetadataOptions, _ mailboxes: Mailboxes) throws(StoreError) {
        var known = try mailboxes.metadata(of: try folder(name))
        if let folder = try folder(name), known[SpecialUse.entry] == nil, let use = SpecialUse.byName(folder) { known[SpecialUse.entry] = SpecialUse.value([use]) }
        var longest: Int?
        var found: [(name: String, value: [UInt8]?)] = []
        for entry in entries {
            for name in Self.names(known, entry, options.depth) where !found.contains(where: { $0.name == name }) {
                if let limit = options.maximumSize, let size = known[name]?.count, size > Int(limit) {
                    longest = max(longest ?? 0, size)
                } else {
                    found.append((name, known[name]))
                }
            }
        }
        if !found.isEmpty { respond(.metadata(name, found)) }
        finish(tag, .ok("done", code: longest.map { .metadataLongEntries($0) }))
    }

    /// The entry itself, known or not, when no depth was asked for; else what there is, down to the depth.
    private static func names(_ known: [String: [UInt8]], _ entry: MetadataEntry, _ depth: MetadataOptions.Depth) -> [String] {
        guard depth != .none else { return [entry.name] }
        return known.keys.sorted().filter { name in
            guard name != entry.name else { return true }
            guard name.hasPrefix(entry.name + "/") else { return false }
            return depth == .infinity || !name.dropFirst(entry.name.count + 1).contains("/")
        }
    }

    func setMetadata(_ tag: String, _ name: MailboxName, _ values: [MetadataValue], _ mailboxes: Mailboxes) throws(StoreError) {
        guard values.allSatisfy({ ($0.value?.count ?? 0) <= Self.metadataLimit }) else {
            return respond(tag, .no("a value is too long", code: .metadataMaxSize(Self.metadataLimit)))
        }
        let folder = try folder(name)
        // What all users share of a server, its administrator says.
        guard folder != nil || values.allSatisfy(\.entry.isPrivate) else { return respond(tag, .no("only the server's administrator can", code: .noPerm)) }
        // RFC 6154 §4: only what a folder can be for.
        guard values.allSatisfy({ $0.entry.name != SpecialUse.entry || $0.value == nil || (folder != nil && $0.value.flatMap(SpecialUse.parse) != nil) }) else {
            return respond(tag, .no("a mailbox cannot be for that", code: .useAttribute))
        }
        guard let changed = try mailboxes.setMetadata(of: folder, values.map { ($0.entry.name, $0.value) }) else {
            return respond(tag, .no("there are too many annotations", code: .metadataTooMany))
        }
        if !changed.isEmpty { noteOwn(.metadata(folder, entries: changed)) }
        finish(tag)
    }

    private func folder(_ name: MailboxName) throws(StoreError) -> FolderName? { name.text.isEmpty ? nil : try folderName(name) }
}
