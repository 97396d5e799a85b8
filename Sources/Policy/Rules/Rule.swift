import InternetMessage

/// A checked rule.
struct Rule: Sendable {
    let name: String
    let stage: PolicyStage
    let file: String
    let line: Int
    let condition: Condition
    let actions: [RuleAction]
}

/// A checked action; texts are still to be filled in.
enum RuleAction: Sendable {
    case accept, discard
    case reject(Int, String, TextTemplate)
    case tempfail(Int, String, TextTemplate)
    case quarantine(TextTemplate)
    case addHeader(String, TextTemplate)
    case setHeader(String, TextTemplate)
    case removeHeader(String)
    case subjectPrefix(TextTemplate)
    case fileInto(String)
    case addKeyword(String)
    case exemptTag(TextTemplate)
    case redirect(EmailAddress)
    case copy(EmailAddress)
    case changeRecipient(EmailAddress)
    /// Refuse for now when there were more events than that.
    case limit(RateTerms, Int)
    case greylist(GreylistTerms)
    /// Refuse what came in the clear, or by an older version; nil: any version.
    case requireTLS(String?)
    /// Ask no further rule of this file at this stage.
    case nextFile
}

extension RuleAction {
    /// What it wants changed of a message; nil where that is nothing, or a matter of delivery here.
    var wish: RuleSet.Wish? {
        switch self {
        case .addHeader, .setHeader, .removeHeader, .subjectPrefix: .header
        case .copy: .addedRecipient
        case .redirect, .changeRecipient: .otherRecipient
        case .quarantine: .hold
        case .accept, .discard, .reject, .tempfail, .fileInto, .addKeyword, .exemptTag, .limit, .greylist, .requireTLS, .nextFile: nil
        }
    }
}
