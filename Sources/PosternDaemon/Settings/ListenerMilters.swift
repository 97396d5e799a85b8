/// One key of `listener_milters`: a list of its own, or the word for "as `milters` says".
public enum ListenerMilters: SettingValue, Hashable {
    case asMilters
    case own([MilterLink])

    public static var typeName: String { "list of milters, or \"milters\"" }

    public init(_ item: TOMLItem, baseFolder: String) throws {
        switch item {
        case .string("milters"): self = .asMilters
        case .array: self = .own(try [MilterLink](item, baseFolder: baseFolder))
        default: throw SettingMismatch("a list as milters has it, such as [\"builtin\", \"inet:localhost:11332\"], or \"milters\" for that list itself")
        }
    }

    public var tomlText: String {
        switch self {
        case .asMilters: "milters".tomlText
        case .own(let links): links.tomlText
        }
    }
}

/// What mail is filtered by, by the way it came in.
public enum MailEntrance: String, Sendable, Hashable, CaseIterable {
    case smtp, submission, submissions, lmtp
    /// Made on this machine.
    case local

    var setting: Setting<ListenerMilters> {
        switch self {
        case .smtp: Known.smtpMilters
        case .submission: Known.submissionMilters
        case .submissions: Known.submissionsMilters
        case .lmtp: Known.lmtpMilters
        case .local: Known.localMilters
        }
    }
}

extension Settings {
    /// The filters in force for an entrance, in their order.
    func milters(for entrance: MailEntrance) -> [MilterLink] {
        if entrance == .lmtp, !isSet(Known.lmtpMilters), !self[Known.lmtpFilters] { return [] }
        switch self[entrance.setting] {
        case .asMilters: return self[Known.milters]
        case .own(let links): return links
        }
    }
}
