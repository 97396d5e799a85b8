import DecisionRecords

/// Every verdict as an operator would say it. The one place where they are put into words.
enum VerdictWords {
    static func spf(_ spf: DecisionRecord.SPF, client: String) -> String {
        let domain = Plain.line(spf.domain)
        return switch spf.verdict {
        case "pass": "SPF of \(domain) allows \(client)"
        case "fail": "SPF of \(domain) does not allow \(client)"
        case "softfail": "SPF of \(domain) says that \(client) is probably not allowed"
        case "neutral": "SPF of \(domain) says neither yes nor no to \(client)"
        case "none": "\(domain) has no SPF record"
        case "temperror": "SPF of \(domain) could not be looked up then"
        case "permerror": "The SPF record of \(domain) is broken"
        default: "SPF of \(domain): \(Plain.line(spf.verdict))"
        }
    }

    /// Behind "It was signed by shop.example (s1), and the signature".
    static func dkim(_ verdict: String) -> String {
        switch verdict {
        case "pass": "is good"
        case "fail": "is bad"
        case "neutral": "cannot be made sense of"
        case "policy": "is not believed"
        case "temperror": "could not be checked then, for want of its key"
        case "permerror": "can never be good"
        default: Plain.line(verdict)
        }
    }

    static func dmarc(_ dmarc: DecisionRecord.DMARC) -> String {
        let from = dmarc.from.map(Plain.line) ?? "the From address"
        return switch dmarc.verdict {
        case "pass": "DMARC passed: \(from) really sent it"
        case "fail": "DMARC failed: nothing shows that \(from) sent it"
        case "none": "\(from) has no DMARC policy"
        case "temperror": "DMARC of \(from) could not be decided then"
        case "permerror": "DMARC could not be asked"
        default: "DMARC of \(from): \(Plain.line(dmarc.verdict))"
        }
    }

    /// What the owner of a domain asks for.
    static func policy(_ policy: DecisionRecord.DMARCPolicy) -> String {
        let asked = switch policy.applied {
        case "reject": "asks to refuse what fails"
        case "quarantine": "asks to treat what fails as suspicious"
        default: "asks for nothing when it fails"
        }
        return policy.applied == policy.published ? asked : asked + " (it publishes \(Plain.line(policy.published)), and is testing)"
    }

    /// Behind "The tag "shop" of alice@home.example".
    static func tag(_ status: String) -> String {
        switch status {
        case "new": "was new, and belongs to this sender now"
        case "match": "was used by whom it was given to"
        case "leaked": "was used by somebody it was not given to"
        case "unverified": "was used by nobody who could be told for certain"
        case "guessed": "was guessed: nobody was ever given it"
        case "blocked": "is blocked"
        case "revoked": "is revoked"
        default: "is " + Plain.line(status)
        }
    }

    static func stage(_ stage: String?) -> String {
        switch stage {
        case "connect": "when it connected"
        case "helo": "at HELO"
        case "mail": "at MAIL FROM"
        case "rcpt": "at RCPT TO"
        case "data": "at DATA"
        case "message": "at the end of the message"
        default: "when it was to be stored"
        }
    }

    static func kind(_ kind: DecisionRecord.Verdict.Kind) -> String {
        switch kind {
        case .accepted: "was accepted"
        case .rejected: "was refused for good"
        case .deferred: "was refused for now"
        case .discarded: "was taken and thrown away"
        case .abandoned: "was given up by the client"
        }
    }

    static func outcome(_ outcome: DeliveryRecord.Outcome) -> String {
        switch outcome {
        case .delivered: "was delivered"
        case .deferred: "waits in the queue"
        case .bounced: "could not be delivered and was returned"
        }
    }

    static func listener(_ listener: String) -> String {
        switch listener {
        case "milter": "through the MTA whose milter this is"
        case "lmtp": "by LMTP"
        case "local": "from this server itself"
        case "submission", "submissions": "for submission"
        default: "by SMTP"
        }
    }
}
