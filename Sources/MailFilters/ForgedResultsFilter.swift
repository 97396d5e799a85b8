import InternetMessage
import Milter

/// Removes every Authentication-Results field on arriving mail that bears our own authserv-id (RFC 8601 §5): nobody
/// else may speak in our name. Fields that do not parse go too, since a lenient reader might take them for ours.
public struct ForgedResultsFilter: MailFilter, FilterSession {
    public let name = "forged-results"
    public let stages: Set<MilterStage> = [.endOfMessage]
    public let changes: Set<Modification.Kind> = [.changeHeaders]
    private let authservID: String

    public init(authservID: String) { self.authservID = authservID }

    public func makeSession() -> any FilterSession { self }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let fields = transaction.message.header.all(AuthenticationResults.fieldName)
        // From the last to the first, so that the occurrence numbers of those still to go stay right.
        for (index, field) in fields.enumerated().reversed() where isOurs(field) {
            transaction.apply(.changeHeader(name: AuthenticationResults.fieldName, occurrence: index + 1, nil))
        }
        return .continue
    }

    private func isOurs(_ field: HeaderField) -> Bool {
        AuthenticationResults(field).map { $0.isFrom(authservID) } ?? true
    }
}
