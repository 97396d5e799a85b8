import CArchive

/// Reads what archives list, over libarchive: zip, 7z, rar, tar, cab, iso, lha, and files that are only compressed.
/// Nothing is written anywhere, and no program is started.
public struct ArchiveLister {
    private let limits: ArchiveLimits
    private let end: ContinuousClock.Instant
    private var bytesLeft: Int
    public private(set) var contents = ArchiveContents()

    /// - Parameter limits: for all that this lister will look at together.
    public init(limits: ArchiveLimits = ArchiveLimits()) {
        self.limits = limits
        bytesLeft = limits.bytes
        end = .now + limits.time
    }

    /// Looks at a file; one that is no archive, and is not named like one, adds nothing. Blocks for as long as it takes.
    public mutating func look(at bytes: [UInt8], named name: String) { look(at: bytes, named: name, depth: 1) }

    private mutating func look(at bytes: [UInt8], named name: String, depth: Int) {
        guard ArchiveKind.begins(bytes) else {
            if ArchiveKind.isNamed(name) { contents.isUnreadable = true }
            return
        }
        guard depth <= limits.depth, !isSpent else { return contents.isUnreadable = true }
        let locale = postern_utf8_locale()
        defer { postern_restore_locale(locale) }
        bytes.withUnsafeBytes { list($0, named: name, depth: depth) }
    }

    private var isSpent: Bool { contents.names.count >= limits.entries || bytesLeft <= 0 || ContinuousClock.now >= end }

    private mutating func list(_ bytes: UnsafeRawBufferPointer, named name: String, depth: Int) {
        guard let archive = Self.makeReader() else { return contents.isUnreadable = true }
        defer { archive_read_free(archive) }
        guard archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK else { return contents.isUnreadable = true }
        while true {
            var entry: OpaquePointer?
            let result = archive_read_next_header(archive, &entry)
            // Known even where the listing itself is encrypted and nothing can be read.
            if archive_read_has_encrypted_entries(archive) > 0 { contents.isEncrypted = true }
            if result == ARCHIVE_EOF { return }
            guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry, !isSpent else {
                contents.isUnreadable = contents.isUnreadable || !contents.isEncrypted || isSpent
                return
            }
            guard take(entry, of: archive, named: name, depth: depth) else { return contents.isUnreadable = true }
        }
    }

    /// - Returns: false when the look cannot go on.
    private mutating func take(_ entry: OpaquePointer, of archive: OpaquePointer, named outer: String, depth: Int) -> Bool {
        let isBare = archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_RAW
        guard let name = isBare ? ArchiveKind.unpackedName(of: outer) : Self.name(of: entry) else { return false }
        contents.names.append(Self.clipped(name, limits.nameLength))
        if archive_entry_is_encrypted(entry) > 0 {
            contents.isEncrypted = true
            return true
        }
        let isArchive = ArchiveKind.isNamed(name)
        // Headers alone where they can be jumped between. In a compressed stream what lies between them is unpacked by
        // whoever goes on, so it is done here, block by block, with the limits in view.
        guard isArchive || (archive_filter_count(archive) > 1 && !isBare) else { return true }
        guard let data = read(archive, keeping: isArchive) else { return false }
        if isArchive { look(at: data, named: name, depth: depth + 1) }
        return true
    }

    private mutating func read(_ archive: OpaquePointer, keeping: Bool) -> [UInt8]? {
        var data: [UInt8] = []
        while true {
            var block: UnsafeRawPointer?, size = 0, offset: Int64 = 0
            switch archive_read_data_block(archive, &block, &size, &offset) {
            case ARCHIVE_EOF: return data
            case ARCHIVE_OK, ARCHIVE_WARN:
                bytesLeft -= size
                guard bytesLeft > 0, ContinuousClock.now < end else { return nil }
                if keeping, let block { data.append(contentsOf: UnsafeRawBufferPointer(start: block, count: size)) }
            default: return nil
            }
        }
    }

    // MARK: libarchive

    /// By name, not `…_all`: some of those start programs to unpack (lrzip, grzip, lzop).
    private static func makeReader() -> OpaquePointer? {
        guard let archive = archive_read_new() else { return nil }
        for filter in [ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_COMPRESS, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_LZMA,
                       ARCHIVE_FILTER_LZ4, ARCHIVE_FILTER_ZSTD] {
            _ = archive_read_support_filter_by_code(archive, filter)
        }
        _ = archive_read_support_format_zip(archive)
        _ = archive_read_support_format_7zip(archive)
        _ = archive_read_support_format_rar(archive)
        _ = archive_read_support_format_rar5(archive)
        _ = archive_read_support_format_tar(archive)
        _ = archive_read_support_format_cpio(archive)
        _ = archive_read_support_format_cab(archive)
        _ = archive_read_support_format_iso9660(archive)
        _ = archive_read_support_format_lha(archive)
        _ = archive_read_support_format_raw(archive)
        return archive
    }

    private static func name(of entry: OpaquePointer) -> String? {
        if let text = archive_entry_pathname_utf8(entry) { return String(cString: text) }
        return archive_entry_pathname(entry).map { String(cString: $0) }
    }

    private static func clipped(_ name: String, _ limit: Int) -> String {
        // The end tells what it is.
        name.utf8.count <= limit ? name : String(decoding: Array(name.utf8.suffix(limit)), as: UTF8.self)
    }
}
