@testable import IMAPCore
@testable import InternetMessage
@testable import IMAPServer

/// Headers, MIME and what is read from fields.
enum MessageTargets {
    /// Fields are kept byte for byte, whichever way they came in.
    static let header: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet()
        let octets = Array(choices.rest)
        let (header, consumed) = MessageHeader.parse(octets[...])
        expect(consumed <= octets.count, "consumed \(consumed) of \(octets.count)")
        var wire: [UInt8] = []
        header.serialize(into: &wire)
        expect(wire.count == header.byteCount, "\(wire.count) octets, not \(header.byteCount)")
        expect(MessageHeader.parse(wire[...]).header == header, "\(wire) reads otherwise than it was written")
        assembled(InternetMessage.LineEnds.toCRLF(octets), rhythm)
        made(choices.texts())
        for field in header.fields { read(field) }
    }

    /// A message in pieces is the message at once.
    private static func assembled(_ octets: [UInt8], _ rhythm: UInt8) {
        let whole = Message(parsing: octets)
        var assembler = MessageAssembler(memoryLimit: 1 << 20, spoolFolder: "/tmp")
        for piece in octets.pieces(rhythm) { try? assembler.append(piece) }
        guard let message = try? assembler.finish() else { return }
        expect(message.header == whole.header, "in pieces: \(message.header.fields)\nwhole: \(whole.header.fields)")
        let body = try? message.body.bytes(), other = try? whole.body.bytes()
        expect(body == other, "in pieces: \(body ?? [])\nwhole: \(other ?? [])")
    }

    /// Whatever a field is made of, it is one field.
    private static func made(_ texts: [ArraySlice<UInt8>]) {
        guard texts.count >= 2 else { return }
        let field = HeaderField(name: String(decoding: texts[0], as: UTF8.self), rawValue: texts[1])
        let wire = field.bytes + [13, 10]
        let read = MessageHeader.parse(wire[...])
        expect(read.header.fields.count == 1 && read.consumed == wire.count && read.header.fields[0].name == field.name, "more than one field: \(wire)")
        let told = HeaderField(name: "Subject", value: String(decoding: texts[1], as: UTF8.self)).bytes + [13, 10]
        let second = MessageHeader.parse(told[...])
        expect(second.header.fields.count == 1 && second.consumed == told.count, "more than one field: \(told)")
    }

    private static func read(_ field: HeaderField) {
        _ = (field.name, field.value, AddressList.parse(field.rawValue), EncodedWords.decode(field.rawValue), ReceivedHop(field), ReceivedHop.id(of: field))
        _ = (AuthenticationResults(field), MailDate(parsing: field.rawValue), BaseSubject(field: field.rawValue))
    }

    /// The structure lies within the message and in order, and everything that IMAP makes of it can be made.
    static let mime: FuzzTarget = { input in
        let root = MIMEStructure.parse(input)
        check(root, in: 0..<input.count, input, 0)
        input.withUnsafeBytes { message in
            for extended in [false, true] {
                var writer = ResponseWriter()
                BodyStructure.encode(root, of: message, extended: extended, into: &writer)
                expect(Wire.isOneLine(writer.bytes), "BODYSTRUCTURE breaks its line: \(writer.bytes)")
            }
            var writer = ResponseWriter()
            Envelope(Message(parsing: input).header).encode(into: &writer)
            expect(Wire.isOneLine(writer.bytes), "ENVELOPE breaks its line: \(writer.bytes)")
            for part in [[], [1], [2], [1, 1], [1, 2], [2, 1, 1]] { sections(part, root, message) }
            if let preview = MessagePreview.make(root, of: message) { expect(preview.unicodeScalars.count <= MessagePreview.length, "a preview of \(preview.unicodeScalars.count)") }
        }
    }

    private static func check(_ part: MIMEPart, in range: Range<Int>, _ input: [UInt8], _ depth: Int) {
        expect(range.lowerBound <= part.range.lowerBound && part.range.upperBound <= range.upperBound, "\(part.range) is outside of \(range)")
        expect(part.headerRange.upperBound == part.bodyRange.lowerBound, "header \(part.headerRange), body \(part.bodyRange)")
        expect(part.lineCount == input[part.bodyRange].reduce(0) { $0 + ($1 == 10 ? 1 : 0) }, "\(part.lineCount) lines in \(part.bodyRange)")
        expect(depth <= 101, "nested \(depth) deep")
        if let decoded = part.fields.encoding.decode(input[part.bodyRange]) { expect(decoded.count <= part.bodyRange.count, "decoding made it larger") }
        _ = (part.fields.fileName, part.fields.charset, part.fields.dispositionParameters["filename"], part.fields.parameters["boundary"])
        var end = part.bodyRange.lowerBound
        for child in part.children {
            expect(child.range.lowerBound >= end, "a part begins at \(child.range.lowerBound), before \(end)")
            end = child.range.upperBound
            check(child, in: part.bodyRange, input, depth + 1)
        }
    }

    private static func sections(_ part: [Int], _ root: MIMEPart, _ message: UnsafeRawBufferPointer) {
        for specifier in [BodySection.Specifier.whole, .header, .text, .mime, .headerFields(["Subject", "X"]), .headerFieldsNot(["From"])] {
            for partial in [nil, Partial(origin: 3, count: 5), Partial(origin: Int(UInt32.max), count: 1)] {
                let content = SectionExtractor.extract(BodySection(part: part, specifier), partial: partial, of: message, structure: root)
                if let content, let partial { expect(content.count <= partial.count, "more than \(partial)") }
                _ = content?.octets(of: message)
            }
        }
        _ = try? SectionExtractor.binary(part, of: message, structure: root)
    }

    /// Encoded words, transfer encodings, charsets, dates.
    static let words: FuzzTarget = { input in
        var choices = Choices(input)
        let kind = choices.octet()
        let octets = Array(choices.rest)
        _ = EncodedWords.decode(octets)
        expect(Base64.decode(Array(Base64.encode(octets).utf8)) == octets, "base64 of \(octets)")
        expect(Base64.decodeStrictly(Array(Base64.encode(octets).utf8)) == octets, "base64 of \(octets)")
        if let strict = Base64.decodeStrictly(octets) { expect(strict == Base64.decode(octets), "the two decoders differ on \(octets)") }
        _ = MIMETransferEncoding.decodeQuotedPrintable(octets)
        let charsets = ["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16", "iso-2022-jp", "shift_jis", "gb18030", "koi8-r", "utf-7", "big5", "euc-kr"]
        _ = Charset.decode(octets, charset: charsets[Int(kind) % charsets.count])
        _ = Charset.decodeStrictly(octets, charset: charsets[Int(kind) % charsets.count])
        if let date = MailDate(parsing: octets) {
            expect(MailDate("\(date)") == date, "\(date) reads otherwise")
            _ = date.imapText
        }
        _ = ModifiedText.previewed(octets)
    }

    /// Received fields.
    static let trace: FuzzTarget = { input in
        let field = HeaderField(name: "Received", rawValue: input)
        _ = ReceivedHop.id(of: field)
        if let hop = ReceivedHop(field) { expect(hop.helo.utf8.count <= 4096, "a long name") }
    }
}

/// What IMAP writes: strings quoted or as literals.
enum Wire {
    /// Whether no CR, LF or NUL stands outside of a literal.
    static func isOneLine(_ octets: [UInt8]) -> Bool {
        var rest = octets[...]
        while let octet = rest.popFirst() {
            if octet == 34 {
                while let inner = rest.popFirst(), inner != 34 {
                    if inner == 13 || inner == 10 || inner == 0 { return false }
                    if inner == 92 { _ = rest.popFirst() }
                }
            } else if octet == 123 {
                guard let close = rest.firstIndex(of: 125), let count = Int(String(decoding: rest[..<close], as: UTF8.self)),
                    rest[(close + 1)...].starts(with: [13, 10]), rest.endIndex - close - 3 >= count else { return false }
                rest = rest[(close + 3 + count)...]
            } else if octet == 13 || octet == 10 || octet == 0 { return false }
        }
        return true
    }
}

enum ModifiedText {
    static func previewed(_ octets: [UInt8]) -> Int { MessagePreview.shorten(HTMLText.strip(String(decoding: octets, as: UTF8.self))).utf8.count }
}
