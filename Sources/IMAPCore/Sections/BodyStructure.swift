import InternetMessage

/// BODY and BODYSTRUCTURE (RFC 3501 §7.4.2).
public enum BodyStructure {
    /// - Parameters:
    ///   - message: the octets that `part` was made from; read for the envelopes of enclosed messages.
    ///   - extended: BODYSTRUCTURE; without extension data it is BODY.
    public static func encode(_ part: MIMEPart, of message: UnsafeRawBufferPointer, extended: Bool, into writer: inout ResponseWriter) {
        writer.raw("(")
        if case .multipart(let children) = part.content {
            for child in children { encode(child, of: message, extended: extended, into: &writer) }
            writer.raw(" ")
            text(part.fields.subtype, into: &writer)
            if extended {
                writer.raw(" ")
                parameters(part.fields.parameters, into: &writer)
                extensionTail(part.fields, into: &writer)
            }
        } else {
            single(part, of: message, extended: extended, into: &writer)
        }
        writer.raw(")")
    }

    private static func single(_ part: MIMEPart, of message: UnsafeRawBufferPointer, extended: Bool, into writer: inout ResponseWriter) {
        let fields = part.fields
        let media = media(part)
        text(media.type, into: &writer)
        writer.raw(" ")
        text(media.subtype, into: &writer)
        writer.raw(" ")
        if fields.isTypeDefault && fields.isText { writer.raw("(\"charset\" \"us-ascii\")") } else { parameters(fields.parameters, into: &writer) }
        for value in [fields.id, fields.description] {
            writer.raw(" ")
            writer.nstring(value)
        }
        writer.raw(" ")
        text(fields.encodingName, into: &writer)
        writer.raw(" \(part.size)")
        if let inner = part.enclosedMessage {
            writer.raw(" ")
            Envelope(MessageHeader.parse(Array(message[inner.headerRange])[...]).header).encode(into: &writer)
            writer.raw(" ")
            encode(inner, of: message, extended: extended, into: &writer)
        }
        if part.enclosedMessage != nil || media.type == "text" { writer.raw(" \(part.lineCount)") }
        if extended {
            writer.raw(" ")
            writer.nstring(fields.md5)
            extensionTail(fields, into: &writer)
        }
    }

    /// A type whose form demands children or an envelope cannot be claimed for a part that has none: a multipart without
    /// parts is shown as the text that it is, a message too deep to open as opaque.
    private static func media(_ part: MIMEPart) -> (type: String, subtype: String) {
        if part.fields.isMultipart { return ("text", "plain") }
        if part.fields.isMessage, part.enclosedMessage == nil { return ("application", "octet-stream") }
        return (part.fields.type, part.fields.subtype)
    }

    /// `SP body-fld-dsp SP body-fld-lang SP body-fld-loc`
    private static func extensionTail(_ fields: ContentFields, into writer: inout ResponseWriter) {
        writer.raw(" ")
        if let disposition = fields.disposition {
            writer.raw("(")
            text(disposition, into: &writer)
            writer.raw(" ")
            parameters(fields.dispositionParameters, into: &writer)
            writer.raw(")")
        } else {
            writer.raw("NIL")
        }
        writer.raw(" ")
        languages(fields.languages, into: &writer)
        writer.raw(" ")
        writer.nstring(fields.location)
    }

    private static func languages(_ tags: [String], into writer: inout ResponseWriter) {
        guard tags.count != 1 else { return text(tags[0], into: &writer) }
        guard !tags.isEmpty else { return writer.raw("NIL") }
        writer.raw("(")
        for (index, tag) in tags.enumerated() {
            if index > 0 { writer.raw(" ") }
            text(tag, into: &writer)
        }
        writer.raw(")")
    }

    /// `"(" string SP string *(SP string SP string) ")" / nil`; values as written, RFC 2231 and 2047 not decoded.
    private static func parameters(_ parameters: MIMEParameters, into writer: inout ResponseWriter) {
        guard !parameters.list.isEmpty else { return writer.raw("NIL") }
        writer.raw("(")
        for (index, parameter) in parameters.list.enumerated() {
            if index > 0 { writer.raw(" ") }
            text(parameter.name, into: &writer)
            writer.raw(" ")
            writer.string(parameter.value)
        }
        writer.raw(")")
    }

    private static func text(_ value: String, into writer: inout ResponseWriter) { writer.string(Array(value.utf8)) }
}

extension FetchResponse {
    public mutating func envelope(_ envelope: Envelope) {
        item("ENVELOPE ")
        envelope.encode(into: &writer)
    }

    /// BODYSTRUCTURE, or BODY when not extended.
    public mutating func bodyStructure(_ part: MIMEPart, of message: UnsafeRawBufferPointer, extended: Bool) {
        item(extended ? "BODYSTRUCTURE " : "BODY ")
        BodyStructure.encode(part, of: message, extended: extended, into: &writer)
    }

    /// ENVELOPE or BODYSTRUCTURE that was encoded before, for a client without UTF-8: literals stand where that needs
    /// them, which all clients take.
    public mutating func encoded(_ name: String, _ octets: [UInt8]) {
        item(name + " ")
        writer.raw(octets)
    }
}
