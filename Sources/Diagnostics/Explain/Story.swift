import DecisionRecords

/// What became of a message, in plain sentences.
public struct Story {
    private let record: DecisionRecord
    private let deliveries: [DeliveryRecord]
    private let source: RuleSource

    public init(_ record: DecisionRecord, deliveries: [DeliveryRecord], source: RuleSource) {
        self.record = record
        self.deliveries = deliveries
        self.source = source
    }

    /// One sentence or so a line; what belongs to one is indented below it.
    public var lines: [String] { ([heading] + arrival + recipients + findings + rules + changes + [ending] + copies) }

    private var heading: String {
        let names = [record.mtaID.map { "\($0) there" }, record.messageID.map { "Message-ID <\(Plain.line($0))>" }].compactMap { $0 }
        let size = record.size.map { ", \($0) octets" } ?? ""
        return "\(record.id)\(names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"), \(StoryTime.text(record.time))\(size)"
    }

    // MARK: Who sent it

    private var isMadeHere: Bool { record.client.listener == "local" && record.client.address == nil }

    private var arrival: [String] {
        if let about = record.about { return ["It is a notification about \(about), made here, to \(list(record.envelope.recipients))."] }
        var out = isMadeHere ? ["It was handed in on this machine, by sendmail, so nothing was checked."]
            : ["It came \(Self.from(record.client)) \(VerdictWords.listener(record.client.listener))\(tls(record.client))."]
        if let origin = record.origin { out.append("That is a trusted relay; it had it \(Self.from(origin)).") }
        if let account = record.client.account { out.append("\(Plain.line(account)) had logged in\(record.client.mechanism.map { " (\($0))" } ?? "").") }
        if record.client.account == nil, record.client.isOwn, !isMadeHere { out.append("The client is in mynetworks: one of our own, and nothing was checked.") }
        guard record.verdict.stage != "connect", record.verdict.stage != "helo" else { return out }
        let sender = record.envelope.sender.map { "<\(Plain.line($0))>" } ?? "nobody (the null sender <>)"
        out.append("The sender was \(sender)" + (record.envelope.accepted.isEmpty ? "." : "; it was for \(list(record.envelope.accepted))."))
        if let after = record.envelopeAfter { out.append("After the filters it was from <\(Plain.line(after.sender ?? ""))> for \(list(after.recipients)).") }
        return out
    }

    private static func from(_ client: DecisionRecord.Client) -> String {
        guard let address = client.address else { return "from this machine" }
        let helo = client.helo.isEmpty ? "" : ", calling itself \(Plain.line(client.helo)),"
        return "from \(address) (\(client.name.map(Plain.line) ?? "no verified name"))\(helo)"
    }

    private func tls(_ client: DecisionRecord.Client) -> String {
        guard let tls = client.tls else { return client.address == nil ? "" : ", in clear text" }
        return " over \(Plain.line(tls.version)) (\(Plain.line(tls.cipher)))"
    }

    private func list(_ recipients: [DecisionRecord.Recipient]) -> String {
        let names = recipients.prefix(20).map { recipient in
            "<\(Plain.line(recipient.address))>" + (recipient.original.map { " (asked for as <\(Plain.line($0))>)" } ?? "")
        }
        let more = recipients.count > 20 ? ["\(recipients.count - 20) others"] : []
        let all = names + more
        return all.count < 2 ? all.first ?? "nobody" : all.dropLast().joined(separator: ", ") + " and " + (all.last ?? "")
    }

    private var recipients: [String] {
        record.envelope.recipients.filter { $0.refusal != nil }.map { recipient in
            "<\(Plain.line(recipient.address))> was refused by \(Self.who(recipient.refusedBy)): \(Plain.line(recipient.refusal ?? ""))"
        }
    }

    private var findings: [String] { StoryFindings(record).lines }

    // MARK: What the rules said

    private var rules: [String] {
        record.rules.flatMap { hit -> [String] in
            let saw = hit.saw.prefix(20).map { "\(Plain.line($0.name)) was \($0.value.map(Plain.line) ?? "missing")" }
            let about = hit.recipient.map { " about <\(Plain.line($0))>" } ?? ""
            return ["The rule \"\(Plain.line(hit.rule))\" matched\(about)\(saw.isEmpty ? "" : ", since " + saw.joined(separator: " and "))."]
                + ["    " + Plain.line(source.quote(hit.rule, file: hit.file, line: hit.line))]
        }
    }

    private var changes: [String] {
        let own = record.changes.prefix(50).map { "    " + StoryChange.line($0) }
        return own.isEmpty ? [] : ["It was changed:"] + own
    }

    // MARK: How it ended

    static func who(_ filter: String?) -> String {
        switch filter {
        case nil: "the server"
        case "policy"?: "the rules"
        case let name?: "the filter \(Plain.line(name))"
        }
    }

    private var ending: String {
        let verdict = record.verdict
        let subject = verdict.stage == "connect" || verdict.stage == "helo" ? "The client" : "The message"
        let held = record.quarantine.map { ", and held: \(Plain.line($0))" } ?? ""
        let filed = record.quarantine == nil ? record.folder.map { ", and filed into \(Plain.line($0))" } ?? "" : ""
        let keywords = record.keywords.isEmpty ? "" : ", with the keyword\(record.keywords.count > 1 ? "s" : "") \(record.keywords.joined(separator: " "))"
        // Of mail made here a refusal is a reason; nobody heard a reply.
        let said = verdict.reply.map { !isMadeHere ? " It was told: \(Plain.line($0))" : verdict.kind == .accepted ? "" : " The reason: \(Plain.line($0))" } ?? ""
        switch verdict.kind {
        case .accepted: return "\(subject) \(VerdictWords.kind(.accepted))\(held)\(filed)\(keywords)." + said
        case .abandoned: return "\(subject) \(VerdictWords.kind(.abandoned)) before its end."
        case .rejected, .deferred, .discarded:
            return "\(subject) \(VerdictWords.kind(verdict.kind)) by \(Self.who(verdict.filter)) \(VerdictWords.stage(verdict.stage))." + said
        }
    }

    private var copies: [String] {
        var told: Set<String> = []
        let own = record.copies.map { copy -> String in
            told.insert(copy.recipient)
            return StoryCopy.line(copy, deliveries.first { $0.recipient == copy.recipient })
        }
        return own + deliveries.filter { !told.contains($0.recipient) }.map { StoryCopy.line(.init(recipient: $0.recipient, queueID: $0.queueID), $0) }
    }
}
