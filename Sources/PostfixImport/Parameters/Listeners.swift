import PostfixDoctor

/// The ports: which services of master.cf become which `listen.*`.
enum Listeners {
    enum Kind: String, CaseIterable { case smtp, submission, submissions }

    /// The well-known names of master.cf (services(5)).
    private static let ports = ["smtp": 25, "mail": 25, "submission": 587, "submissions": 465, "smtps": 465, "ssmtp": 465, "urd": 465]

    static func serviceNames(_ postfix: PostfixSettings, _ kind: Kind) -> [PostfixSettings.Service] {
        postfix.services.filter { self.kind(of: $0, postfix) == kind }
    }

    /// nil for what takes no mail from the network.
    static func kind(of service: PostfixSettings.Service, _ postfix: PostfixSettings) -> Kind? {
        guard service.type == "inet", service.program == "smtpd" || service.program == "postscreen" else { return nil }
        let port = port(of: service)
        if postfix.value("smtpd_tls_wrappermode", service) == "yes" || port == 465 { return .submissions }
        if port == 587 || isForOwnUsers(service, postfix) { return .submission }
        return .smtp
    }

    /// Everybody but own users is turned away, by a list of restrictions of the service's own.
    private static func isForOwnUsers(_ service: PostfixSettings.Service, _ postfix: PostfixSettings) -> Bool {
        guard postfix.value("smtpd_sasl_auth_enable", service) == "yes" else { return false }
        return RestrictionLists.names.contains { name in
            let words = Words.split(service.overrides[name] ?? "")
            return words.last == "reject" && words.contains("permit_sasl_authenticated")
        }
    }

    static func port(of service: PostfixSettings.Service) -> Int? {
        let name = service.name.split(separator: ":").last.map(String.init) ?? service.name
        return ports[name] ?? Int(name).flatMap { (1...65535).contains($0) ? $0 : nil }
    }

    /// Sets `listen.*`, and notes what became of each service.
    static func carry(_ source: ImportSource, _ draft: inout Draft) throws(ImportFailure) {
        let hosts = try ListenerHosts(source.postfix)
        var places: [Kind: [String]] = [.smtp: [], .submission: [], .submissions: []]
        for service in source.postfix.services {
            guard let kind = kind(of: service, source.postfix) else { continue }
            guard let port = port(of: service) else { throw ImportFailure("master.cf: the port \"\(service.name)\" is not known: write its number") }
            let own = service.name.split(separator: ":").dropLast().joined(separator: ":")
            let texts = (own.isEmpty ? hosts.texts : [own]).map { "\($0 == "localhost" ? "127.0.0.1" : $0):\(port)" }
            places[kind, default: []] += texts.filter { !(places[kind] ?? []).contains($0) }
            draft.note(source.postfix.masterFile, nil, "\(service.name)/\(service.type)", ([service.program] + service.arguments).joined(separator: " "),
                       .carried("listen.\(kind.rawValue) = \(TOMLText.list(texts))" + remark(service, kind, source.postfix)))
        }
        for kind in Kind.allCases {
            let texts = places[kind] ?? []
            // An empty list closes a port that is open by default.
            _ = draft.set("listen.\(kind.rawValue)", TOMLText.list(texts), from: texts.isEmpty ? "no such service in master.cf" : "master.cf, inet_interfaces")
        }
        // Mail clients read where they send.
        guard !hosts.isEverywhere else { return }
        for (key, port) in [("listen.imap", 143), ("listen.imaps", 993)] { _ = draft.set(key, TOMLText.list(hosts.texts.map { "\($0):\(port)" }), from: "inet_interfaces") }
    }

    private static func remark(_ service: PostfixSettings.Service, _ kind: Kind, _ postfix: PostfixSettings) -> String {
        switch kind {
        case .submissions where postfix.value("smtpd_tls_wrappermode", service) != "yes":
            "; TLS begins with the first octet there (RFC 8314), while this Postfix, without smtpd_tls_wrappermode = yes, waits for STARTTLS, which clients do not expect on port 465"
        case .smtp where postfix.value("smtpd_sasl_auth_enable", service) == "yes": "; log-ins are taken on the submission ports only"
        default: ""
        }
    }
}
