import Archives
import InternetMessage
import Policy

/// Lists what a message brings along: its parts, and what lies in archives among them.
public struct AttachmentInspector {
    /// Messages larger than this are not looked at.
    static let sizeLimit = 128 << 20
    static let nameLimit = 2_000

    let limits: ArchiveLimits

    public init() { self.init(limits: ArchiveLimits()) }
    init(limits: ArchiveLimits) { self.limits = limits }

    /// Blocks for as long as the archives' limits allow.
    public func inspect(_ message: Message) -> AttachmentListing {
        guard message.byteCount <= Self.sizeLimit, let bytes = try? message.bytes() else { return AttachmentListing(isUnreadable: true) }
        var listing = AttachmentListing(), lister = ArchiveLister(limits: limits)
        MIMEStructure.parse(bytes).visit { part in
            guard part.children.isEmpty else { return }
            if listing.types.count < Self.nameLimit { listing.types.append(part.fields.type + "/" + part.fields.subtype) }
            let name = part.fields.fileName.map { EncodedWords.decode(Array($0.utf8)) }
            if let name, listing.names.count < Self.nameLimit { listing.names.append(String(name.unicodeScalars.suffix(limits.nameLength).map(Character.init))) }
            look(into: part, of: bytes, named: name ?? "", &lister)
        }
        listing.names += lister.contents.names
        listing.isEncrypted = lister.contents.isEncrypted
        listing.isUnreadable = listing.isUnreadable || lister.contents.isUnreadable || listing.types.count == Self.nameLimit
        return listing
    }

    private func look(into part: MIMEPart, of bytes: [UInt8], named name: String, _ lister: inout ArchiveLister) {
        // Text that nobody named is what people read, not an archive.
        guard !part.fields.isText || !name.isEmpty else { return }
        guard let data = part.fields.encoding.decode(bytes[part.bodyRange]) else { return }
        lister.look(at: data, named: name)
    }
}
