import StateFiles

extension DecisionRecord.Results {
    func write(to w: inout JSONWriter) {
        if let reverseName {
            w.object("reverseName") {
                $0.field("verdict", reverseName.verdict)
                $0.field("address", reverseName.address)
                $0.field("name", reverseName.name)
                $0.field("reason", reverseName.reason)
            }
        }
        w.list("spf", spf) { w, one in w.object { one.write(to: &$0) } }
        if let dkim { w.list("dkim", dkim) { w, one in w.object { one.write(to: &$0) } } }
        if let dmarc { w.object("dmarc") { dmarc.write(to: &$0) } }
        if let tags { w.list("tags", tags) { w, one in w.object { one.write(to: &$0) } } }
        w.field("lookups", lookups)
        w.strings("signedBy", signedBy)
    }
}

extension DecisionRecord.SPF {
    func write(to w: inout JSONWriter) {
        w.field("verdict", verdict)
        w.field("identity", identity)
        w.field("domain", domain)
        w.field("reason", reason)
        w.field("match", match)
        w.field("record", record)
    }
}

extension DecisionRecord.DKIM {
    func write(to w: inout JSONWriter) {
        w.field("verdict", verdict)
        w.field("reason", reason)
        w.field("domain", domain)
        w.field("selector", selector)
        w.field("algorithm", algorithm)
        w.field("identity", identity)
        w.field("coversWholeBody", coversWholeBody)
        w.field("signsFrom", signsFrom)
        w.field("isTesting", isTesting)
        w.field("keyBits", keyBits)
        w.field("keyRecord", keyRecord)
    }
}

extension DecisionRecord.DMARC {
    func write(to w: inout JSONWriter) {
        w.field("verdict", verdict)
        w.field("from", from)
        w.field("reason", reason)
        guard let policy else { return }
        w.object("policy") {
            $0.field("domain", policy.domain)
            $0.field("record", policy.record)
            $0.field("tag", policy.tag)
            $0.field("published", policy.published)
            $0.field("applied", policy.applied)
        }
    }
}

extension DecisionRecord.Tag {
    func write(to w: inout JSONWriter) {
        w.field("recipient", recipient)
        w.field("status", status)
        w.field("base", base)
        w.field("detail", detail)
        w.strings("owners", owners)
        w.field("offender", offender)
        w.field("explanation", explanation)
        w.field("seen", seen)
    }
}
