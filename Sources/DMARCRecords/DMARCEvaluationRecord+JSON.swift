import DMARC
import StateFiles

extension DMARCEvaluationRecord {
    /// What `JSONDecoder` reads back as the same row.
    var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

    private func write(to w: inout JSONWriter) {
        w.field("time", time)
        w.field("source", source)
        w.field("headerFrom", headerFrom)
        w.field("envelopeFrom", envelopeFrom)
        w.field("envelopeTo", envelopeTo)
        w.field("result", result)
        w.field("disposition", disposition.rawValue)
        w.field("override", override?.rawValue)
        w.field("dkimAligned", dkimAligned)
        w.field("spfAligned", spfAligned)
        w.list("dkim", dkim) { w, signature in w.object { signature.write(to: &$0) } }
        w.list("spf", spf) { w, check in w.object { check.write(to: &$0) } }
        if let policy { w.object("policy") { policy.write(to: &$0) } }
    }
}

extension DMARCEvaluationRecord.DKIM {
    fileprivate func write(to w: inout JSONWriter) {
        w.field("domain", domain)
        w.field("selector", selector)
        w.field("result", result)
        w.field("reason", reason)
    }
}

extension DMARCEvaluationRecord.SPF {
    fileprivate func write(to w: inout JSONWriter) {
        w.field("domain", domain)
        w.field("scope", scope.rawValue)
        w.field("result", result)
        w.field("reason", reason)
    }
}

extension DMARCEvaluationRecord.Policy {
    fileprivate func write(to w: inout JSONWriter) {
        w.field("domain", domain)
        w.field("p", p)
        w.field("sp", sp)
        w.field("np", np)
        w.field("adkim", adkim)
        w.field("aspf", aspf)
        w.field("isTesting", isTesting)
        w.field("fo", fo)
    }
}
