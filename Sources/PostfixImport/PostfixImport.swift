import PostfixDoctor

/// Makes our settings and rules of a Postfix's, and says of each line what became of it.
public struct PostfixImport: Sendable {
    /// `postern.toml`.
    public let settings: String
    /// A `*.policy` file; nil when there is nothing that rules would have to say.
    public let rules: String?
    public let parameters: [ImportedParameter]
    /// Who had a mailbox. Passwords are not carried.
    public let accounts: [AccountDraft]
    /// What is left to be done by hand.
    public let steps: [String]

    /// - Parameters:
    ///   - policyFolder: what `policy_directory` is to name.
    ///   - user: the account to run as; nil leaves `user` out.
    /// - Throws: ``ImportFailure`` where the settings could not mean anything.
    public init(_ source: ImportSource, policyFolder: String, user: String?) throws(ImportFailure) {
        var draft = Draft(own: source.own)
        Self.carryMain(source, &draft)
        try Listeners.carry(source, &draft)
        Milters(source).carry(&draft)
        Self.carryServices(source, &draft)
        RestrictionLists.carry(source, &draft)
        MilterPrograms.carryOpenDKIM(source, &draft)
        MilterPrograms.carryOpenDMARC(source, &draft)
        DovecotImport.carry(source, &draft)
        SystemUsers.carry(source, &draft)
        // No other MTA asks us: it is replaced. And no port that it left alone is ours by default.
        draft.insist("listen.milter", "\"\"", from: "there is no Postfix beside us any more")
        draft.insist("policy_directory", TOMLText.string(policyFolder), from: "the rules beside this file")
        if let user { draft.insist("user", TOMLText.string(user), from: "the account that the server becomes when it has its ports") }
        settings = SettingsText.document(draft)
        rules = draft.rules.isEmpty ? nil : RuleText.document(draft)
        (parameters, accounts, steps) = (draft.parameters, draft.accounts, draft.steps)
    }

    private static func carryMain(_ source: ImportSource, _ draft: inout Draft) {
        let postfix = source.postfix
        for name in postfix.written.sorted(by: { order($0) < order($1) }) where !RestrictionLists.names.contains(name) {
            let parameter = Parameter(file: postfix.mainFile, service: nil, name: name, value: postfix.value(name))
            draft.note(parameter.file, nil, name, parameter.value, outcome(parameter, &draft, source))
        }
        carryDefaults(source, &draft)
        for (name, value) in source.unused.sorted(by: { $0.key < $1.key }) {
            draft.note(postfix.mainFile, nil, name, value, .notUnderstood("no program of Postfix reads it: a slip of the pen, or a name of your own that nothing refers to"))
        }
    }

    /// What Postfix does where main.cf says nothing, and we would not.
    private static func carryDefaults(_ source: ImportSource, _ draft: inout Draft) {
        let postfix = source.postfix
        for name in ["myhostname", "mydestination", "mynetworks", "recipient_delimiter", "alias_maps"] where !postfix.written.contains(name) {
            guard var value = postfix.main[name] else { continue }
            // The one that is there: NIS is in the default for those who have it.
            if name == "alias_maps" { value = TableReference.list(value).filter { $0.isReadable && (try? source.read($0.name)) != nil }.map(\.description).joined(separator: ", ") }
            let made = outcome(Parameter(file: postfix.mainFile, service: nil, name: name, value: value), &draft, source)
            draft.note(postfix.mainFile, nil, name, value, Outcome(fate: made.fate, text: "Postfix's default: \(made.text)"))
        }
    }

    /// Later ones ask what earlier ones set.
    private static func order(_ name: String) -> String { (["mydestination": "0", "virtual_mailbox_domains": "1"][name] ?? "2") + name }

    private static func outcome(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        if let treatment = Treatments.treatment(of: parameter.name) { return treatment.apply(parameter, &draft, source) }
        let classes = Words.split(source.postfix.main["smtpd_restriction_classes"] ?? "")
        if classes.contains(parameter.name) { return .notNeeded("what it lists is told where the list is used") }
        // postconf -n shows a name of the administrator's own only where another parameter refers to it, and expands it there.
        if !PostfixParameters.known.contains(parameter.name) { return .notNeeded("a name of your own: its value is in the parameters that refer to it") }
        return .notUnderstood("there is no treatment for this parameter")
    }

    /// master.cf: ports were carried before; programs that only Postfix needs; `-o` lines.
    private static func carryServices(_ source: ImportSource, _ draft: inout Draft) {
        let postfix = source.postfix
        for service in postfix.services {
            let label = "\(service.name)/\(service.type)", program = ([service.program] + service.arguments).joined(separator: " ")
            if Listeners.kind(of: service, postfix) == nil { draft.note(postfix.masterFile, nil, label, program, ServicePrograms.outcome(service, postfix)) }
            for (name, value) in service.overrides.sorted(by: { $0.key < $1.key }) where !RestrictionLists.names.contains(name) {
                let parameter = Parameter(file: postfix.masterFile, service: service, name: name, value: value)
                let isListener = Listeners.kind(of: service, postfix) != nil
                draft.note(parameter.file, label, name, value, isListener ? outcome(parameter, &draft, source) : .notNeeded("about that program of Postfix"))
            }
        }
    }
}

/// What the programs of master.cf are to us.
enum ServicePrograms {
    private static let roles = [
        "pickup": "mail made on this machine comes by postern sendmail", "cleanup": "messages are read as they come", "qmgr": "the queue is part of the program",
        "tlsmgr": "TLS is part of the program", "trivial-rewrite": "addresses are resolved by the program", "bounce": "notices are made by the program",
        "verify": "addresses elsewhere are not tried out beforehand", "flush": "postern queue retry DOMAIN", "proxymap": "tables are read by the program",
        "smtp": "the program delivers itself", "lmtp": "the program delivers itself", "showq": "postern queue list", "error": "error: in [transport]",
        "discard": "discard: in [transport]", "local": "the program delivers itself", "virtual": "the program delivers itself", "anvil": "clients are counted by the program",
        "scache": "connections are kept by the program", "postlogd": "logs go to standard error", "dnsblog": "DNS lists are asked by the program", "tlsproxy": "TLS is part of the program",
        "oqmgr": "the queue is part of the program", "spawn": "policy services are not asked: see check_policy_service", "qmqpd": "QMQP is not spoken",
        "smtpd": "the ports are the program's", "postscreen": "connections cost little; rules at connect and the greylist turn away what it did",
    ]

    static func outcome(_ service: PostfixSettings.Service, _ postfix: PostfixSettings) -> Outcome {
        if service.program == "pipe" { return pipe(service, postfix) }
        return roles[service.program].map(Outcome.notNeeded) ?? .notUnderstood("no program of Postfix has that name")
    }

    /// A program that mail is handed to: of no account where nothing sends mail there, as with those that Debian's file begins with.
    private static func pipe(_ service: PostfixSettings.Service, _ postfix: PostfixSettings) -> Outcome {
        let users = ["mailbox_transport", "virtual_transport", "local_transport", "default_transport", "relay_transport", "fallback_transport", "content_filter", "transport_maps"]
            .filter { Words.split(postfix.value($0)).contains { $0 == service.name || $0.hasPrefix(service.name + ":") } }
        return users.isEmpty ? .notNeeded("no parameter sends mail there") : .notCarried("\(users.joined(separator: ", ")) sends mail there; no program is run for a message")
    }
}

extension PostfixImport {
    /// `OpenDKIM`, `OpenDMARC`, where Postfix asks them as milters.
    public static func programsAsked(_ source: ImportSource) -> Set<String> {
        let milters = Milters(source), postfix = source.postfix
        let entries = postfix.smtpd.flatMap { service in MilterEntry.list(postfix.value("smtpd_milters", service)).map { milters.role(of: $0, service) } }
            + MilterEntry.list(postfix.value("non_smtpd_milters")).map { milters.role(of: $0, milters.cleanup) }
        return Set(entries.compactMap { if case .builtIn(_, let program) = $0 { program } else { nil } })
    }
}
