import Foundation
import InternetMessage
import MailFilters
import NetworkAddress
import Policy
import PolicySources
import Synchronization

/// Answers the rules from a record: no DNS, no counters. What can be worked out of the message itself is; what was never
/// asked then is noted.
final class ReplaySource: PolicySource {
    private let lookups: PolicyLookups
    private let time: Int
    private let body: @Sendable () -> MessageBody?
    private let missing = Mutex<[String]>([])

    init(_ message: RecordedMessage, body: @escaping @Sendable () -> MessageBody?) {
        lookups = message.lookups
        time = message.record.time / 1000
        self.body = body
    }

    /// The questions that nobody had asked, as the record would name them.
    var unanswered: [String] { missing.withLock { $0 } }

    func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
        if let known = lookups[query] { return known }
        switch query {
        case .messageAge:
            guard let date = message.header.first("Date").flatMap({ MailDate($0.value) }) else { return .missing }
            return PolicyAnswer(.number(time - Int(date.unixTime)))
        case .attachments:
            if let body = body() { return PolicyAnswer(.attachments(AttachmentInspector().inspect(Message(header: message.header, body: body)))) }
        default: break
        }
        missing.withLock { if !$0.contains(query.text) { $0.append(query.text) } }
        return .missing
    }
}
