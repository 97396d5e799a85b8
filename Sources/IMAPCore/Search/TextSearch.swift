import InternetMessage

/// Looks for folded text in header fields and bodies, charsets and encodings undone.
enum TextSearch {
    /// In a field's value; the empty text is in every field (RFC 3501 §6.4.4, HEADER).
    static func field(_ field: HeaderField, contains text: SearchNeedle) -> Bool {
        text.isEmpty || text.occurs(in: SearchableTexts.value(of: field)) || text.occurs(in: SearchableTexts.addresses(of: field))
    }

    /// In the whole field, its name included.
    static func wholeField(_ field: HeaderField, contains text: SearchNeedle) -> Bool {
        text.occurs(in: SearchableTexts.wholeField(field))
    }

    /// In the text parts of a message, and in the headers of messages it encloses.
    static func body(_ message: UnsafeRawBufferPointer, contains text: SearchNeedle) -> Bool {
        text.isEmpty || SearchableTexts.anyInBody(message, MIMEStructure.parse(message)) { text.occurs(in: $0) }
    }
}
