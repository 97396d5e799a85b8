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
}
