/// NOTIFY (RFC 5465 §8).
enum NotifyParser {
    /// Groups, and mailboxes in one: more would be no use to anybody.
    private static let limit = 1000

    /// - Returns: ``Command/notify(_:)``; nil in it for NOTIFY NONE.
    static func parse(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        if scanner.keyword("NONE") { return .notify(nil) }
        guard scanner.keyword("SET") else { throw ScanError("expected NOTIFY SET or NOTIFY NONE") }
        try scanner.space()
        let wantsStatus = scanner.keyword("STATUS")
        if wantsStatus { try scanner.space() }
        var groups = [try group(&scanner)]
        while scanner.take(32) { groups.append(try group(&scanner)) }
        guard groups.count <= limit else { throw ScanError("too many groups", code: .notificationOverflow) }
        // §6.1: one specifier of the selected mailbox in a command.
        guard groups.count(where: { $0.filter.isSelected }) <= 1 else { throw ScanError("SELECTED and SELECTED-DELAYED may stand once") }
        return .notify(NotifyRequest(wantsStatus: wantsStatus, groups: groups))
    }

    /// `"(" filter-mailboxes SP events ")"`
    private static func group(_ scanner: inout Scanner) throws(ScanError) -> NotifyRequest.Group {
        try scanner.expect(40, "( before an event group")
        let filter = try filter(&scanner)
        try scanner.space()
        let group = try events(&scanner, filter)
        try scanner.expect(41, ") behind an event group")
        return group
    }

    private static func filter(_ scanner: inout Scanner) throws(ScanError) -> NotifyRequest.Filter {
        let word = ASCII.upper(try scanner.atom("a mailbox specifier"))
        switch word {
        case "SELECTED": return .selected
        case "SELECTED-DELAYED": return .selectedDelayed
        case "INBOXES": return .inboxes
        case "PERSONAL": return .personal
        case "SUBSCRIBED": return .subscribed
        case "SUBTREE": return .subtree(try mailboxes(&scanner))
        case "MAILBOXES": return .mailboxes(try mailboxes(&scanner))
        default: throw ScanError("unknown mailbox specifier \(word.prefix(32))")
        }
    }

    private static func mailboxes(_ scanner: inout Scanner) throws(ScanError) -> [MailboxName] {
        try scanner.space()
        guard scanner.peek == 40 else { return [try MailboxName.parse(&scanner)] }
        let names = try scanner.list { (scanner) throws(ScanError) in try MailboxName.parse(&scanner) }
        guard names.count <= limit else { throw ScanError("too many mailboxes", code: .notificationOverflow) }
        return names
    }

    /// `( "(" event *(SP event) ")" ) / "NONE"`
    private static func events(_ scanner: inout Scanner, _ filter: NotifyRequest.Filter) throws(ScanError) -> NotifyRequest.Group {
        if scanner.keyword("NONE") { return NotifyRequest.Group(filter, []) }
        var attributes: [FetchAttribute] = [], isUnknown = false
        let events = try scanner.list { (scanner) throws(ScanError) -> NotifyRequest.Event? in
            let word = ASCII.upper(try scanner.atom("an event"))
            let event = NotifyRequest.Event.allCases.first { ASCII.upper($0.rawValue) == word }
            if event == .messageNew, let found = try fetchAttributes(&scanner) {
                // §8: the fetch-att list stands with the selected mailbox only.
                guard filter.isSelected else { throw ScanError("FETCH items stand with SELECTED and SELECTED-DELAYED only") }
                attributes = found
            }
            isUnknown = isUnknown || event == nil
            return event
        }
        // §3.1: NO, not BAD, and BADEVENT lists what there is.
        guard !isUnknown else { throw ScanError("that event is not offered", code: .badEvent(NotifyRequest.Event.names)) }
        let group = NotifyRequest.Group(filter, Set(events.compactMap { $0 }), attributes: attributes)
        try check(group)
        return group
    }

    private static func fetchAttributes(_ scanner: inout Scanner) throws(ScanError) -> [FetchAttribute]? {
        var ahead = scanner
        guard ahead.take(32), ahead.peek == 40 else { return nil }
        let found = try FetchParser.attributes(&ahead, uid: false)
        scanner = ahead
        return found
    }

    private static func check(_ group: NotifyRequest.Group) throws(ScanError) {
        let events = group.events
        // §5.
        guard events.contains(.messageNew) == events.contains(.messageExpunge) else { throw ScanError("MessageNew and MessageExpunge stand together") }
        guard !events.contains(.flagChange) || events.contains(.messageNew) else { throw ScanError("FlagChange needs MessageNew and MessageExpunge") }
        // §6.1.
        guard !group.filter.isSelected || events.allSatisfy(\.isMessageEvent) else { throw ScanError("the selected mailbox has message events only") }
    }
}
