import PostfixDoctor

extension Treatments {
    private static let macros = Outcome.notNeeded("milters are told the macros that they ask for, and Postfix's own beside them")

    static let milters: [String: Treatment] = [
        "smtpd_milters": Treatment(list), "non_smtpd_milters": Treatment(list),
        "milter_default_action": Treatment { parameter, draft, source in
            Milters(source).hasForeign ? Treatment.setting("milter_default_action", .words(["accept": "accept", "reject": "reject", "tempfail": "tempfail", "quarantine": "quarantine"])).apply(parameter, &draft, source)
                : .notNeeded("the filters are part of this program: they cannot be out of reach")
        },
        "milter_protocol": .notNeeded("version 6 is spoken, and older ones to milters that know no other"),
        "milter_connect_timeout": .setting("milter_connect_timeout", .time), "milter_command_timeout": .setting("milter_command_timeout", .time),
        "milter_content_timeout": .setting("milter_content_timeout", .time),
        "milter_macro_daemon_name": .notNeeded("own users' mail is known by their log-in and by mynetworks"),
        "milter_macro_v": .says(macros), "milter_macro_defaults": .says(macros), "milter_connect_macros": .says(macros), "milter_helo_macros": .says(macros),
        "milter_mail_macros": .says(macros), "milter_rcpt_macros": .says(macros), "milter_data_macros": .says(macros), "milter_end_of_header_macros": .says(macros),
        "milter_end_of_data_macros": .says(macros), "milter_unknown_command_macros": .says(macros),
        "milter_header_checks": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("what milters add is not looked at") : .notCarried("what milters add is not looked at") },
        "internal_mail_filter_classes": Treatment { parameter, _, _ in
            parameter.value.isEmpty ? .notNeeded("bounces go through the filters, which sign them; none can be lost by that")
                : .isDefault("bounces go through the filters (listener_milters.local), which sign them")
        },
    ]

    private static func list(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let milters = Milters(source), client = parameter.service ?? (parameter.name == "non_smtpd_milters" ? milters.cleanup : nil)
        let entries = MilterEntry.list(parameter.value).map { milters.role(of: $0, client) }
        guard !entries.isEmpty else { return .isDefault("no milter is asked but the filters of this program") }
        return .carried(entries.map { entry in
            switch entry {
            case .builtIn(let address, let program): "\(address) (\(program)): the built-in filters do its work"
            case .foreign(let text): "\(text): in milters"
            }
        }.joined(separator: "; "))
    }
}

/// Which milters Postfix asks, and what they are.
struct Milters {
    enum Role: Hashable {
        /// What it does our own filters do.
        case builtIn(address: String, program: String)
        /// As `milters` has it.
        case foreign(String)
    }

    let source: ImportSource
    let cleanup: PostfixSettings.Service?
    private let dkim: Endpoint?
    private let dmarc: Endpoint?

    init(_ source: ImportSource) {
        self.source = source
        cleanup = source.postfix.services.first { $0.program == "cleanup" }
        dkim = source.openDKIM.flatMap { Self.socket(MilterSettingsFile($0).value("Socket"), source) }
        dmarc = source.openDMARC.flatMap { Self.socket(MilterSettingsFile($0).value("Socket"), source) }
    }

    /// libmilter's `inet:8891@localhost`, `local:/run/opendkim/opendkim.sock`.
    private static func socket(_ text: String?, _ source: ImportSource) -> Endpoint? {
        guard let text else { return nil }
        if text.hasPrefix("inet"), let colon = text.firstIndex(of: ":") {
            let parts = text[text.index(after: colon)...].split(separator: "@", maxSplits: 1).map(String.init)
            return parts.first.flatMap(Int.init).map { .inet(host: parts.count == 2 ? parts[1] : "localhost", port: $0) }
        }
        let path = text.split(separator: ":", maxSplits: 1).last.map(String.init) ?? text
        return path.hasPrefix("/") ? .unix(path) : nil
    }

    func role(of entry: MilterEntry, _ client: PostfixSettings.Service?) -> Role {
        let place = Endpoint(entry.address, queue: source.postfix.queueDirectory, isChrooted: client?.isChrooted ?? false)
        if let place, let dkim, place.isSame(as: dkim) || Self.sameFile(place, dkim) { return .builtIn(address: entry.address, program: "OpenDKIM") }
        if let place, let dmarc, place.isSame(as: dmarc) || Self.sameFile(place, dmarc) { return .builtIn(address: entry.address, program: "OpenDMARC") }
        let text = entry.address.lowercased()
        // The ports and paths that Debian's packages and guides give them; 12301 is ours too.
        if text.contains("dkim") || text.hasSuffix(":8891") || text.hasSuffix(":12301") { return .builtIn(address: entry.address, program: "OpenDKIM") }
        if text.contains("dmarc") || text.hasSuffix(":8893") { return .builtIn(address: entry.address, program: "OpenDMARC") }
        return .foreign(Self.text(entry, place))
    }

    /// A socket within Postfix's chroot is named as Postfix sees it, and from the machine's root by the other side.
    private static func sameFile(_ place: Endpoint, _ other: Endpoint) -> Bool {
        if case .unix(let a) = place, case .unix(let b) = other { return a == b || a.hasSuffix(b) || b.hasSuffix(a) }
        return false
    }

    private static func text(_ entry: MilterEntry, _ place: Endpoint?) -> String {
        let address = switch place {
        case .unix(let path)?: "unix:\(path)"
        case .inet(let host, let port)?: "inet:\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case nil: entry.address
        }
        let options = entry.options.sorted { $0.key < $1.key }.filter { ["default_action", "connect_timeout", "command_timeout", "content_timeout"].contains($0.key) }
        return options.isEmpty ? address : "{ \(([address] + options.map { "\($0.key)=\($0.value)" }).joined(separator: ", ")) }"
    }

    /// The filters of one way in, as `milters` lists them.
    func links(_ value: String, _ client: PostfixSettings.Service?) -> [String] {
        var out: [String] = []
        for entry in MilterEntry.list(value) {
            let link = switch role(of: entry, client) {
            case .builtIn: "builtin"
            case .foreign(let text): text
            }
            if !out.contains(link) { out.append(link) }
        }
        // Nothing is verified or signed without them; a Postfix without such milters did neither, which nobody wants to keep.
        return out.contains("builtin") ? out : ["builtin"] + out
    }

    var hasForeign: Bool {
        (source.postfix.smtpd.flatMap { links(source.postfix.value("smtpd_milters", $0), $0) } + links(source.postfix.value("non_smtpd_milters"), cleanup)).contains { $0 != "builtin" }
    }

    /// Sets `milters`, and `listener_milters.*` where one way in differs.
    func carry(_ draft: inout Draft) {
        let postfix = source.postfix
        let main = links(postfix.value("smtpd_milters"), postfix.smtpd.first)
        note(draft.set("milters", TOMLText.list(main), from: "smtpd_milters"), "smtpd_milters", &draft)
        for kind in Listeners.Kind.allCases {
            let services = Listeners.serviceNames(postfix, kind)
            let lists = Set(services.map { links(postfix.value("smtpd_milters", $0), $0) })
            guard lists.count == 1, let own = lists.first, own != main else { continue }
            note(draft.set("listener_milters.\(kind.rawValue)", TOMLText.list(own), from: "\(services[0].name): -o smtpd_milters"), "smtpd_milters", &draft)
        }
        let local = links(postfix.value("non_smtpd_milters"), cleanup)
        if local != main { note(draft.set("listener_milters.local", TOMLText.list(local), from: "non_smtpd_milters"), "non_smtpd_milters", &draft) }
    }

    /// Only what our reader refuses is news: the parameters themselves are in the list already.
    private func note(_ outcome: Outcome, _ name: String, _ draft: inout Draft) {
        if outcome.fate == .notUnderstood { draft.note(source.postfix.mainFile, nil, name, source.postfix.value(name), outcome) }
    }
}
