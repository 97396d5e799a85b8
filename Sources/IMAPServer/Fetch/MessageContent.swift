import InternetMessage
import MailStore

/// A message's octets, read once and only as far as is needed. A large one is not held in memory.
final class MessageContent {
    let file: MessageFile
    private var whole: MappedMessage?
    private var start: [UInt8]?
    private var parsed: MIMEPart?

    init(_ file: MessageFile) { self.file = file }

    /// All octets with CRLF line ends. Blocks.
    func bytes() throws(StoreError) -> MappedMessage {
        if let whole { return whole }
        let read = try file.contents()
        whole = read
        return read
    }

    /// Octets from the beginning that hold the whole header, its empty line included; more may follow. Blocks.
    func headerBytes() throws(StoreError) -> [UInt8] {
        if let start { return start }
        var out: [UInt8] = []
        var reader = file.reader()
        while let piece = try reader.next() {
            let from = max(out.count - 3, 0)
            out += piece
            if Self.holdsEmptyLine(out, from: from) { break }
        }
        start = out
        return out
    }

    func header() throws(StoreError) -> MessageHeader { MessageHeader.parse(try headerBytes()[...]).header }

    func structure() throws(StoreError) -> MIMEPart {
        if let parsed { return parsed }
        let made = try bytes().withUnsafeBytes { MIMEStructure.parse($0) }
        parsed = made
        return made
    }

    private static func holdsEmptyLine(_ bytes: [UInt8], from start: Int) -> Bool {
        if bytes.starts(with: [13, 10]) { return true }
        var i = start
        while i + 3 < bytes.count {
            if bytes[i] == 13, bytes[i + 1] == 10, bytes[i + 2] == 13, bytes[i + 3] == 10 { return true }
            i += 1
        }
        return false
    }
}
