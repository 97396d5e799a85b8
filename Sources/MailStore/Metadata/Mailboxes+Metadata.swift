import InternetMessage

extension Mailboxes {
    /// Entries that a folder or the account may have.
    public static let metadataEntryLimit = 200

    /// Annotations by entry name.
    /// - Parameter folder: nil: those of the account itself. Blocks.
    public func metadata(of folder: FolderName?) throws(StoreError) -> [String: [UInt8]] {
        MetadataFile(parsing: try Files.contents(try metadataPath(folder)) ?? []).values
    }

    /// Changes annotations, all or none; nil removes one. Blocks.
    /// - Returns: the names of those that changed; nil when there would be too many, and nothing was done.
    public func setMetadata(of folder: FolderName?, _ changes: [(name: String, value: [UInt8]?)]) throws(StoreError) -> [String]? {
        let path = try metadataPath(folder)
        return try DotLock.holding(path + ".lock") { () throws(StoreError) in
            var file = MetadataFile(parsing: try Files.contents(path) ?? [])
            var changed: [String] = []
            for (name, value) in changes where file.values[name] != value {
                file.values[name] = value
                if !changed.contains(name) { changed.append(name) }
            }
            guard file.values.count <= Self.metadataEntryLimit else { return nil }
            guard !changed.isEmpty else { return [] }
            try Files.replace(path, with: file.serialised())
            events.note(.metadata(folder, entries: changed))
            return changed
        }
    }

    private func metadataPath(_ folder: FolderName?) throws(StoreError) -> String {
        guard let folder else { return root + "/postern-account-metadata" }
        guard exists(folder) else { throw .noSuchMailbox(folder.description) }
        return paths(folder).folder + "/postern-metadata"
    }
}
