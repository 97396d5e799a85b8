import InternetMessage

/// Makes a message of 7-bit lines of one that needs 8BITMIME (RFC 6152 §3), part by part: text becomes quoted-printable,
/// everything else base64, and multiparts keep their shape, since they may not be encoded (RFC 2045 §6.4).
enum SevenBitConversion {
    /// The converted message, or nil where none can be made: 8-bit header fields, signed or encrypted parts, whose octets are
    /// not ours to change (RFC 1847 §2.1), a part that says it is encoded already and is not.
    static func convert(_ message: [UInt8]) -> [UInt8]? {
        let root = MIMEStructure.parse(message)
        var edits: [(range: Range<Int>, bytes: [UInt8])] = []
        guard collect(root, message, isRoot: true, &edits) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(message.count + message.count / 2)
        var position = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            guard edit.range.lowerBound >= position else { return nil }
            out += message[position..<edit.range.lowerBound]
            out += edit.bytes
            position = edit.range.upperBound
        }
        out += message[position...]
        // What lies between the parts, or in header fields.
        return out.contains { $0 >= 0x80 } ? nil : out
    }

    private static func collect(_ part: MIMEPart, _ message: [UInt8], isRoot: Bool, _ edits: inout [(range: Range<Int>, bytes: [UInt8])]) -> Bool {
        guard message[part.range].contains(where: { $0 >= 0x80 }) else { return true }
        let fields = part.fields
        guard !(fields.isMultipart && (fields.subtype == "signed" || fields.subtype == "encrypted")) else { return false }
        let isPlain = ["7bit", "8bit", "binary"].contains(fields.encodingName)
        guard part.children.isEmpty else {
            if isPlain, fields.encodingName != "7bit" { edits.append((part.headerRange, header(part, message, encoding: "7bit", isRoot: isRoot))) }
            return part.children.allSatisfy { collect($0, message, isRoot: false, &edits) }
        }
        // A structure that could not be seen through must not be encoded as a whole.
        guard isPlain, !fields.isMultipart, fields.type != "message" else { return false }
        let body = message[part.bodyRange]
        let encoding = fields.isText ? "quoted-printable" : "base64"
        edits.append((part.headerRange, header(part, message, encoding: encoding, isRoot: isRoot)))
        edits.append((part.bodyRange, fields.isText ? quotedPrintable(body) : base64(body)))
        return true
    }

    private static func header(_ part: MIMEPart, _ message: [UInt8], encoding: String, isRoot: Bool) -> [UInt8] {
        var header = MessageHeader.parse(message[part.headerRange]).header
        header.fields.removeAll { $0.isNamed("Content-Transfer-Encoding") }
        if isRoot, header.first("MIME-Version") == nil { header.fields.append(HeaderField(name: "MIME-Version", value: "1.0")) }
        // RFC 1428 §3: what charset it is, nobody has said.
        if isRoot, header.first("Content-Type") == nil { header.fields.append(HeaderField(name: "Content-Type", value: "text/plain; charset=unknown-8bit")) }
        header.fields.append(HeaderField(name: "Content-Transfer-Encoding", value: encoding))
        var out: [UInt8] = []
        header.serialize(into: &out)
        return out + [13, 10]
    }

    private static let lineLength = 76

    /// RFC 2045 §6.7: lines of at most 76 characters, line ends kept, no blank at a line's end.
    static func quotedPrintable(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var column = 0
        func put(_ bytes: [UInt8]) {
            if column + bytes.count > lineLength - 1 {
                out += [61, 13, 10]
                column = 0
            }
            out += bytes
            column += bytes.count
        }
        var index = body.startIndex
        while index < body.endIndex {
            let byte = body[index]
            index += 1
            let next = index < body.endIndex ? body[index] : 13
            if byte == 13, next == 10, index < body.endIndex {
                out += [13, 10]
                index += 1
                column = 0
            } else if (33...126).contains(byte) && byte != 61 || (byte == 32 || byte == 9) && next != 13 && next != 10 {
                put([byte])
            } else {
                put([61, hex(byte >> 4), hex(byte & 15)])
            }
        }
        return out
    }

    private static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 55 + digit }

    /// RFC 2045 §6.8.
    private static func base64(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var start = body.startIndex
        while start < body.endIndex {
            let end = min(start + 57, body.endIndex)
            out += Array(Base64.encode(body[start..<end]).utf8) + (end < body.endIndex ? [13, 10] : [])
            start = end
        }
        return out
    }
}
