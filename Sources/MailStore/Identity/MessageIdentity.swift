extension StoredMessage {
    /// When it was put into this folder (RFC 8514), in Unix seconds: the unique part of a Maildir name begins with that.
    /// A copy gets a name of its own, so it is right for copies too. nil where another program named the file otherwise.
    public var saveDate: Int64? {
        let digits = base.utf8.prefix { (48...57).contains($0) }
        guard digits.count < base.utf8.count, base.utf8.dropFirst(digits.count).first == 46, (8...11).contains(digits.count) else { return nil }
        return Int64(String(base.prefix(digits.count)))
    }
}

extension MailboxSnapshot {
    /// What names the folder for good, whatever it is called (RFC 8474 §4): Dovecot's GUID for it, kept in `dovecot-uidlist`.
    public var objectID: String { "F" + (guid ?? "V\(uidValidity)") }
}

extension UIDList {
    /// `G…` in the header; nil in lists that are older than that.
    var guid: String? {
        let found = otherFields.first { $0.hasPrefix("G") }?.dropFirst() ?? ""
        let isPlain = found.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
        return isPlain && !found.isEmpty && found.utf8.count < 128 ? String(found) : nil
    }
}
