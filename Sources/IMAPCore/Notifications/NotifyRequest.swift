/// What NOTIFY SET asks for (RFC 5465 §3.1).
public struct NotifyRequest: Sendable, Hashable {
    /// Events by their names (§8 event-name).
    public enum Event: String, Sendable, Hashable, CaseIterable {
        case messageNew = "MessageNew", messageExpunge = "MessageExpunge", flagChange = "FlagChange"
        case mailboxName = "MailboxName", subscriptionChange = "SubscriptionChange"
        case mailboxMetadataChange = "MailboxMetadataChange", serverMetadataChange = "ServerMetadataChange"

        /// What BADEVENT lists. AnnotationChange is not among them: there is no ANNOTATE here.
        public static let names = allCases.map(\.rawValue)

        /// Whether it concerns messages, and so may stand with the selected mailbox.
        public var isMessageEvent: Bool {
            switch self {
            case .messageNew, .messageExpunge, .flagChange: true
            default: false
            }
        }
    }

    /// Which mailboxes a group is about (§6).
    public enum Filter: Sendable, Hashable {
        case selected, selectedDelayed
        case inboxes, personal, subscribed
        case subtree([MailboxName]), mailboxes([MailboxName])

        public var isSelected: Bool { self == .selected || self == .selectedDelayed }
    }

    public struct Group: Sendable, Hashable {
        public let filter: Filter
        /// Empty for NONE.
        public let events: Set<Event>
        /// What MessageNew tells of a new message in the selected mailbox.
        public let attributes: [FetchAttribute]

        public init(_ filter: Filter, _ events: Set<Event>, attributes: [FetchAttribute] = []) {
            self.filter = filter
            self.events = events
            self.attributes = attributes
        }
    }

    /// Whether the state of the mailboxes is told first.
    public let wantsStatus: Bool
    public let groups: [Group]

    public init(wantsStatus: Bool, groups: [Group]) {
        self.wantsStatus = wantsStatus
        self.groups = groups
    }

    /// The group about the selected mailbox; nil: nothing about its messages is to be told.
    public var selected: Group? { groups.first { $0.filter.isSelected } }
}
