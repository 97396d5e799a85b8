import InternetMessage

/// Writes one `* n FETCH (...)` response, item by item, so that a large body can be streamed between two writes.
///
///     var fetch = FetchResponse(number: 12)
///     fetch.flags([.seen])
///     fetch.sectionHeader("BODY[]", size: size, origin: nil)   // then send fetch.writer.take(), then the octets
///     fetch.finish()
public struct FetchResponse: Sendable {
    public var writer: ResponseWriter
    private var isFirst = true

    public init(number: UInt32, writer: ResponseWriter = ResponseWriter()) {
        self.writer = writer
        self.writer.raw("* \(number) FETCH (")
    }

    public mutating func finish() { writer.raw(")\r\n") }

    public mutating func uid(_ uid: UInt32) { item("UID \(uid)") }
    /// RFC 7162 §3.1.4.2.
    public mutating func modSequence(_ value: UInt64) { item("MODSEQ (\(value))") }
    /// RFC 8970 §4.
    public mutating func preview(_ text: String?) {
        item("PREVIEW ")
        writer.nstring(text.map { Array($0.utf8) })
    }

    /// RFC 8514 §4.2.
    public mutating func saveDate(_ date: MailDate?) { item(date.map { "SAVEDATE \"\($0.imapText)\"" } ?? "SAVEDATE NIL") }
    /// RFC 8474 §5.1 and §5.2.
    public mutating func emailID(_ id: String) { item("EMAILID (\(id))") }
    public mutating func noThreadID() { item("THREADID NIL") }
    public mutating func size(_ octets: Int) { item("RFC822.SIZE \(octets)") }
    public mutating func internalDate(_ date: MailDate) { item("INTERNALDATE \"\(date.imapText)\"") }
    /// `\Recent` may be among them.
    public mutating func flags(_ flags: [Flag]) { item("FLAGS (" + flags.map(\.text).joined(separator: " ") + ")") }
    /// - Parameter name: ``FetchAttribute/responseName``.
    public mutating func binarySize(_ name: String, _ octets: Int) { item("\(name) \(octets)") }

    /// `name {size}`; exactly `size` octets must follow in ``writer`` or on the wire.
    /// - Parameter name: ``FetchAttribute/responseName``.
    public mutating func literalHeader(_ name: String, size: Int, literal8: Bool = false) {
        item(name + " ")
        if literal8 { writer.literal8Header(size) } else { writer.literalHeader(size) }
    }

    /// `name NIL`, for a part that does not exist.
    public mutating func null(_ name: String) { item(name + " NIL") }

    /// A small section's octets, as a literal. (Sections always go as literals: clients expect it and NUL-free quoting costs a scan.)
    public mutating func section(_ name: String, _ octets: some Collection<UInt8>) {
        literalHeader(name, size: octets.count)
        writer.raw(octets)
    }

    mutating func item(_ text: String) {
        if !isFirst { writer.raw(" ") }
        isFirst = false
        writer.raw(text)
    }
}

extension FetchAttribute {
    /// The item's name in the answer, for those that name octets: `BODY[1.MIME]<0>`, `RFC822.TEXT`, `BINARY[1]`.
    public var responseName: String {
        switch self {
        case .section(let section, let partial, _): "BODY[\(section)]" + Self.origin(partial)
        case .binary(let part, let partial, _): "BINARY[\(part.map { String($0) }.joined(separator: "."))]" + Self.origin(partial)
        case .binarySize(let part): "BINARY.SIZE[\(part.map { String($0) }.joined(separator: "."))]"
        case .binaryText(let section, let partial, _): "BINARY[\(section)]" + Self.origin(partial)
        case .binaryTextSize(let section): "BINARY.SIZE[\(section)]"
        case .rfc822: "RFC822"
        case .rfc822Header: "RFC822.HEADER"
        case .rfc822Text: "RFC822.TEXT"
        case .envelope: "ENVELOPE"
        case .flags: "FLAGS"
        case .internalDate: "INTERNALDATE"
        case .uid: "UID"
        case .modSequence: "MODSEQ"
        case .preview: "PREVIEW"
        case .saveDate: "SAVEDATE"
        case .emailID: "EMAILID"
        case .threadID: "THREADID"
        case .body: "BODY"
        case .bodyStructure: "BODYSTRUCTURE"
        case .size: "RFC822.SIZE"
        }
    }

    /// The answer repeats the origin, without the count (RFC 3501 §7.4.2).
    private static func origin(_ partial: Partial?) -> String { partial.map { "<\($0.origin)>" } ?? "" }

    /// The section and partial that it means, for those that name octets of the message; RFC822 and its kin included.
    public var bodySection: (section: BodySection, partial: Partial?)? {
        switch self {
        case .section(let section, let partial, _), .binaryText(let section, let partial, _): (section, partial)
        case .binaryTextSize(let section): (section, nil)
        case .rfc822: (BodySection(), nil)
        case .rfc822Header: (BodySection(.header), nil)
        case .rfc822Text: (BodySection(.text), nil)
        default: nil
        }
    }
}

extension BodySection: CustomStringConvertible {
    /// As it stands between the brackets. Field names are atoms or quoted: what came as a literal is quoted where it can be.
    public var description: String {
        let numbers = part.map { String($0) }.joined(separator: ".")
        guard let word = specifierText else { return numbers }
        return numbers.isEmpty ? word : numbers + "." + word
    }

    private var specifierText: String? {
        switch specifier {
        case .whole: nil
        case .header: "HEADER"
        case .text: "TEXT"
        case .mime: "MIME"
        case .headerFields(let names): "HEADER.FIELDS (" + Self.list(names) + ")"
        case .headerFieldsNot(let names): "HEADER.FIELDS.NOT (" + Self.list(names) + ")"
        }
    }

    private static func list(_ names: [String]) -> String {
        var writer = ResponseWriter()
        for (index, name) in names.enumerated() {
            if index > 0 { writer.raw(" ") }
            writer.astring(Array(name.utf8))
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
