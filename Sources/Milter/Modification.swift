import InternetMessage

/// A change that a filter makes at end of message: one entry of the ordered log. The in-process chain applies it to
/// its working copy; `MilterServer` replays it through `smfi_*`.
public enum Modification: Sendable {
    /// Puts a field at a position counted from the top of the header as it then stands (0: above all), `smfi_insheader`.
    case insertHeader(index: Int, HeaderField)
    /// Adds a field below the others, `smfi_addheader`.
    case addHeader(HeaderField)
    /// Replaces the value of the n-th (from 1) field of that name; a nil field deletes it, `smfi_chgheader`.
    case changeHeader(name: String, occurrence: Int, HeaderField?)
    case addRecipient(EnvelopeRecipient)
    case removeRecipient(EmailAddress)
    case changeSender(EnvelopeSender)
    case replaceBody(MessageBody)
    /// Holds the message, for the reason given, `smfi_quarantine`.
    case quarantine(String)

    /// What a milter must have been granted to make a change (libmilter's `SMFIF_*`).
    public enum Kind: Sendable, Hashable, CaseIterable {
        case addHeaders, changeHeaders, addRecipients, removeRecipients, changeSender, replaceBody, quarantine
    }
}

extension Set<Modification.Kind> {
    public static let all = Set(Modification.Kind.allCases)
}
