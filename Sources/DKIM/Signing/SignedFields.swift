import InternetMessage

/// Which header fields a signature covers (RFC 6376 §5.4).
///
/// "Over-signed" fields are named once more in h= than they occur, so that nobody can add another one below the
/// signature's notice (§8.15).
public struct SignedFields: Sendable, Hashable {
    /// Over-signed whether they occur or not.
    public var always: [String]
    /// Over-signed only if they occur: a mailing list may add its own without breaking the signature.
    public var ifPresent: [String]

    public init(always: [String], ifPresent: [String]) {
        self.always = always
        self.ifPresent = ifPresent
    }

    /// What identifies a message and its author, and what decides how its content is read.
    public static let standard = SignedFields(
        always: ["From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References",
                 "MIME-Version", "Content-Type", "Content-Transfer-Encoding"],
        ifPresent: ["Sender", "List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
                    "List-Owner", "List-Archive", "Content-ID", "Content-Description", "Content-Disposition", "Autocrypt",
                    "Feedback-ID"])

    /// The names for h= and the fields to hash, both in h='s order: fields of one name from the bottom up (§5.4.2).
    func selection(in header: MessageHeader) -> (names: [String], fields: [HeaderField]) {
        var names: [String] = []
        var fields: [HeaderField] = []
        for (name, isAlways) in (["From"] + always).map({ ($0, true) }) + ifPresent.map({ ($0, false) }) {
            guard !names.contains(name.lowercased()) else { continue }
            let present = header.all(name)
            guard isAlways || !present.isEmpty else { continue }
            fields += present.reversed()
            names += Array(repeating: name.lowercased(), count: present.count + 1)
        }
        return (names, fields)
    }
}
