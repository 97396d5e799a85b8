import InternetMessage

/// What the filters wrote for the recipients here and for nobody else: the tag ledger's word. It is taken out of
/// everything that leaves, be it mail that an alias sends on or what a notification gives back to the sender.
enum PrivateFields {
    static let field = "X-Postern-Tag"
    /// The same in Authentication-Results.
    static let method = "x-postern-tag"

    static func removed(from header: MessageHeader) -> MessageHeader {
        // Both are written together.
        guard header.first(field) != nil else { return header }
        return MessageHeader(header.fields.compactMap { one in
            if one.isNamed(field) { return nil }
            guard one.isNamed(AuthenticationResults.fieldName), let results = AuthenticationResults(one),
                results.results.contains(where: { $0.method == method }) else { return one }
            let rest = results.results.filter { $0.method != method }
            return AuthenticationResults(authservID: results.authservID, version: results.version, results: rest).field
        })
    }

    static func removed(from message: Message) -> Message {
        var message = message
        message.header = removed(from: message.header)
        return message
    }
}
