import InternetMessage

/// A message that is to go into a folder, with what is put in front of it.
struct Delivery: Sendable {
    let message: Message
    let prepending: [HeaderField]
    let flags: MessageFlags
    let keywords: Set<String>

    /// Writes the file in one pass: added fields, header, empty line, body.
    func write(paths: MailboxPaths, uniqueName: String, keywordBits: UInt32) throws(StoreError) -> PlacedFile {
        var writer = try MessageWriter(paths: paths, uniqueName: uniqueName, expecting: message.byteCount + 1024)
        let added = MessageHeader(prepending)
        var head: [UInt8] = []
        head.reserveCapacity(added.byteCount + message.header.byteCount + 2)
        added.serialize(into: &head)
        message.header.serialize(into: &head)
        head.append(13)
        head.append(10)
        try writer.append(head)
        try writer.append(body: message.body)
        return try writer.place(flags: flags, keywordBits: keywordBits, internalDate: nil)
    }
}

extension MessageWriter {
    mutating func append(body: MessageBody) throws(StoreError) {
        var failure: StoreError?
        do {
            try body.forEachChunk { raw in
                do throws(StoreError) { try append(raw) } catch {
                    failure = error
                    throw error
                }
            }
        } catch let error as SpoolFile.Failure {
            throw .system(call: error.call, path: "(spool file)", code: error.code)
        } catch {
            throw failure ?? .system(call: "read", path: "(message body)", code: 5)
        }
    }
}

/// Where a delivered message is.
public struct DeliveredFile: Sendable, Hashable {
    public let path: String
    public let folder: FolderName
    /// Octets with CRLF line ends.
    public let size: Int
}

extension Mailbox {
    /// The letters for keywords, added to the folder's list where they are new.
    func keywordBits(for keywords: [String]) throws(StoreError) -> UInt32 {
        try changing { state throws(StoreError) in
            try state.reloadKeywords()
            return try state.keywordBits(for: keywords, creating: true)
        }
    }
}
