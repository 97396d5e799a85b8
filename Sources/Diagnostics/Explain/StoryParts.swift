import DecisionRecords
import InternetMessage

/// Where one copy went and what became of it.
enum StoryCopy {
    static func line(_ copy: DecisionRecord.Copy, _ delivery: DeliveryRecord?) -> String {
        let who = "The copy for <\(Plain.line(copy.recipient))>"
        if let file = copy.file { return "\(who) was stored as \(Plain.line(file))." }
        if let refusal = copy.refusal { return "\(who) was not taken: \(Plain.line(refusal))" }
        guard let queueID = copy.queueID else { return "\(who) went nowhere." }
        guard let delivery else { return "\(who) is in the queue as \(Plain.line(queueID)) and has not been tried yet." }
        let tries = delivery.attempts == 1 ? "" : " after \(delivery.attempts) attempts"
        let at = StoryTime.text(delivery.time)
        let host = delivery.host.map(Plain.line)
        let said = "\(host ?? "we") said: \(Plain.line(delivery.text))"
        switch delivery.outcome {
        case .delivered where delivery.file != nil: return "\(who) was stored as \(Plain.line(delivery.file ?? ""))\(tries), at \(at)."
        case .delivered: return "\(who) (queue entry \(Plain.line(queueID))) \(VerdictWords.outcome(.delivered))\(host.map { " to \($0)" } ?? "")\(tries), at \(at); \(said)"
        case .deferred: return "\(who) \(VerdictWords.outcome(.deferred)) as \(Plain.line(queueID))\(tries); at \(at) \(said)"
        case .bounced: return "\(who) (queue entry \(Plain.line(queueID))) \(VerdictWords.outcome(.bounced))\(tries), at \(at); \(said)"
        }
    }
}

/// A change as a line.
enum StoryChange {
    static func line(_ change: DecisionRecord.Change) -> String {
        let text = Plain.line((change.text ?? "").replacing("\r\n", with: "").replacing("\t", with: " "))
        let name = Plain.line(change.name ?? "")
        return switch change.kind {
        case .insertHeader, .addHeader: "the field \(text) was added"
        case .changeHeader: "the field \(name) was set: \(text)"
        case .removeHeader: "the field \(name) (number \(change.number ?? 1)) was removed"
        case .addRecipient: "<\(text)> was added to the recipients"
        case .removeRecipient: "<\(text)> was removed from the recipients"
        case .changeSender: "the sender became <\(text)>"
        case .replaceBody: "the body was replaced by one of \(change.number ?? 0) octets"
        case .quarantine: "it was held: \(text)"
        }
    }
}

enum StoryTime {
    /// - Parameter time: milliseconds since 1970.
    static func text(_ time: Int) -> String { MailDate(unixTime: Int64(time / 1000)).description }
}
