/// What tells an archive from another file: how it begins, and how it is named.
enum ArchiveKind {
    private static let beginnings: [[UInt8]] = [
        [0x50, 0x4b, 0x03, 0x04], [0x50, 0x4b, 0x05, 0x06], [0x50, 0x4b, 0x07, 0x08], // zip
        [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], // 7z
        [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07], // rar
        [0x1f, 0x8b], [0x1f, 0x9d], // gzip, compress
        [0x42, 0x5a, 0x68], // bzip2
        [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], // xz
        [0x28, 0xb5, 0x2f, 0xfd], // zstd
        [0x04, 0x22, 0x4d, 0x18], // lz4
        [0x4d, 0x53, 0x43, 0x46], // cab
    ]

    /// Endings of archives, those that cannot be read here included: not to know what is in them is worth knowing.
    private static let endings: Set<String> = [
        "zip", "7z", "rar", "tar", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "zst", "tzst", "lz4", "z", "lzma", "cab", "lha", "lzh",
        "iso", "img", "jar", "arj", "ace", "zoo", "cpio", "xar", "r00", "001",
    ]

    static func isNamed(_ name: String) -> Bool {
        name.lowercased().split(separator: ".").dropFirst().last.map { endings.contains(String($0)) } ?? false
    }

    static func begins(_ bytes: [UInt8]) -> Bool {
        beginnings.contains { bytes.starts(with: $0) } || has("ustar", at: 257, in: bytes) || has("CD001", at: 32_769, in: bytes)
            || (has("-lh", at: 2, in: bytes) && bytes.count > 6 && bytes[6] == UInt8(ascii: "-"))
    }

    private static func has(_ text: String, at offset: Int, in bytes: [UInt8]) -> Bool {
        bytes.count >= offset + text.utf8.count && bytes[offset..<(offset + text.utf8.count)].elementsEqual(text.utf8)
    }

    /// `report.exe` of `report.exe.gz`: what a compressed file without a listing is called.
    static func unpackedName(of name: String) -> String {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 && isNamed(name) ? parts.dropLast().joined(separator: ".") : name
    }
}
