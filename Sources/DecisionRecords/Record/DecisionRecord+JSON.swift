import StateFiles

extension DecisionRecord {
    /// What `JSONDecoder` reads back as the same record.
    var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

    private func write(to w: inout JSONWriter) {
        w.field("id", id)
        w.field("time", time)
        w.field("mtaID", mtaID)
        w.field("messageID", messageID)
        w.field("about", about)
        w.object("client") { client.write(to: &$0) }
        if let origin { w.object("origin") { origin.write(to: &$0) } }
        w.object("envelope") { envelope.write(to: &$0) }
        if let envelopeAfter { w.object("envelopeAfter") { envelopeAfter.write(to: &$0) } }
        w.field("size", size)
        w.object("results") { results.write(to: &$0) }
        w.list("rules", rules) { w, hit in w.object { hit.write(to: &$0) } }
        w.object("verdict") { verdict.write(to: &$0) }
        w.list("changes", changes) { w, change in w.object { change.write(to: &$0) } }
        w.field("changesByRules", changesByRules)
        w.field("folder", folder)
        w.strings("keywords", keywords)
        w.field("quarantine", quarantine)
        w.list("copies", copies) { w, copy in w.object { copy.write(to: &$0) } }
        w.field("isHeaderCut", isHeaderCut)
    }
}

extension DecisionRecord.Verdict {
    func write(to w: inout JSONWriter) {
        w.field("kind", kind.rawValue)
        w.field("reply", reply)
        w.field("stage", stage)
        w.field("filter", filter)
    }
}

extension DecisionRecord.RuleHit {
    func write(to w: inout JSONWriter) {
        w.field("rule", rule)
        w.field("file", file)
        w.field("line", line)
        w.field("stage", stage)
        w.field("recipient", recipient)
        w.list("saw", saw) { w, seen in
            w.object {
                $0.field("name", seen.name)
                $0.field("value", seen.value)
            }
        }
    }
}

extension DecisionRecord.Copy {
    func write(to w: inout JSONWriter) {
        w.field("recipient", recipient)
        w.field("file", file)
        w.field("queueID", queueID)
        w.field("refusal", refusal)
    }
}

extension DecisionRecord.Client {
    func write(to w: inout JSONWriter) {
        w.field("listener", listener)
        w.field("address", address)
        w.field("port", port)
        w.field("name", name)
        w.field("localAddress", localAddress)
        w.field("localPort", localPort)
        w.field("daemon", daemon)
        w.field("isOwn", isOwn)
        if let tls {
            w.object("tls") {
                $0.field("version", tls.version)
                $0.field("cipher", tls.cipher)
                $0.field("bits", tls.bits)
                $0.field("serverName", tls.serverName)
            }
        }
        w.field("account", account)
        w.field("mechanism", mechanism)
        w.field("helo", helo)
    }
}

extension DecisionRecord.Envelope {
    func write(to w: inout JSONWriter) {
        w.field("sender", sender)
        w.map("parameters", parameters)
        w.list("recipients", recipients) { w, recipient in
            w.object {
                $0.field("address", recipient.address)
                $0.field("original", recipient.original)
                $0.map("parameters", recipient.parameters)
                $0.field("refusal", recipient.refusal)
                $0.field("refusedBy", recipient.refusedBy)
                $0.field("tag", recipient.tag)
            }
        }
    }
}

extension DecisionRecord.Change {
    func write(to w: inout JSONWriter) {
        w.field("kind", kind.rawValue)
        w.field("number", number)
        w.field("name", name)
        w.field("text", text)
    }
}
