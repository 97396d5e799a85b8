// Example: InternetMessage
import InternetMessage

/// Who wrote a message, about what: fields are kept octet for octet, and decoded where they are read.
func summary(of text: String) -> String {
    let message = Message(parsing: Array(text.utf8))
    let from = message.header.first("From").map { AddressList.parse($0.rawValue).mailboxes } ?? []
    let author = from.first?.address?.description ?? "nobody"
    let subject = message.header.first("Subject").map { EncodedWords.decode($0.value.utf8) } ?? ""
    return "\(author): \(subject)"
}
