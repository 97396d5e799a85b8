import NetworkAddress

extension Treatments {
    static let identity: [String: Treatment] = [
        "myhostname": .setting("myhostname", .text),
        "mydomain": .notNeeded("no setting is made of it; names are written out"),
        "myorigin": Treatment(origin),
        "mydestination": Treatment(destination),
        "mynetworks": Treatment(networks),
        "mynetworks_style": .builtIn(["host"], "mynetworks is this machine by default", else: .notCarried("networks are named one by one in mynetworks here; without it mynetworks is this machine")),
        "recipient_delimiter": Treatment { parameter, draft, _ in
            // Unlike Postfix's, ours is on by default.
            draft.set("recipient_delimiter", TOMLText.string(parameter.value), from: parameter.origin)
        },
        "smtpd_banner": Treatment { parameter, _, _ in
            parameter.words.first?.isEmpty == false
                ? .notNeeded("the greeting is \"myhostname ESMTP postern\": it names the host, as RFC 5321 §4.2 asks, and cannot be changed") : .notNeeded("the greeting names myhostname")
        },
        "mail_name": .notNeeded("the greeting and Received name this program"),
        "append_dot_mydomain": .builtIn(["no"], "names are never completed with a domain", else: .notCarried("names such as user@host are not completed with $mydomain")),
        "append_at_myorigin": .builtIn(["yes"], "addresses without a domain, on this machine, get myorigin's", else: .notCarried("addresses without a domain always get myorigin's")),
        "parent_domain_matches_subdomains": .notNeeded("a domain means itself here, and .domain those below it, in every setting"),
        "proxy_interfaces": .notNeeded("mail for this machine is known by its domains, not by addresses"),
    ]

    private static func origin(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var name = parameter.value
        if name.hasPrefix("/") {
            do { name = trimmed(try source.read(name).split(separator: "\n").first ?? "") } catch { return .notUnderstood("\(name): \(error)") }
        }
        guard DomainName(name)?.isHostName == true else { return .notUnderstood("\"\(name)\" is no domain name") }
        // Without the setting it is myhostname.
        if name.lowercased() == source.postfix.value("myhostname").lowercased() { return .isDefault("myorigin is myhostname by default") }
        return draft.set("myorigin", TOMLText.string(name), from: parameter.origin)
    }

    private static func destination(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var refused: [String] = []
        let domains = domainList(parameter.value, source, &refused)
        guard refused.isEmpty else { return .notCarried(refused.joined(separator: "; ")) }
        if domains.isEmpty { return .isDefault("mydestination is empty by default") }
        return draft.set("mydestination", TOMLText.list(mainFirst(domains, source)), from: parameter.origin)
    }

    /// What an alias without a domain leads to is looked for in the first domain, where accounts have their addresses:
    /// that is the domain of the mail, and not the name of the machine.
    private static func mainFirst(_ domains: [String], _ source: ImportSource) -> [String] {
        let host = source.postfix.value("myhostname").lowercased()
        let mail = domains.filter { $0 != host && $0 != "localhost" && !$0.hasPrefix("localhost.") }
        return mail + domains.filter { !mail.contains($0) }
    }

    /// Domains of a list, those of files and tables among them.
    static func domainList(_ value: String, _ source: ImportSource, _ refused: inout [String]) -> [String] {
        var out: [String] = []
        for word in Words.split(value) {
            let table = TableReference(word)
            if word.hasPrefix("["), word.hasSuffix("]") {
                refused.append("\(word): mail to an address of this machine instead of a domain is not taken")
            } else if word.hasPrefix("/") || table.isReadable {
                do { out += TableText(try source.read(table.name)).entries.map { $0.key.lowercased() } } catch { refused.append("\(word): \(error)") }
            } else if !table.type.isEmpty {
                refused.append(table.whyNot)
            } else if DomainName(word) != nil {
                out.append(word.lowercased())
            } else { refused.append("\"\(word)\" is no domain name") }
        }
        return out.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func networks(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var refused: [String] = []
        let networks = networks(parameter.value, source, &refused)
        guard refused.isEmpty else { return .notCarried(refused.joined(separator: "; ")) }
        return draft.set("mynetworks", TOMLText.list(networks), from: parameter.origin)
    }

    static func networks(_ value: String, _ source: ImportSource, _ refused: inout [String]) -> [String] {
        var out: [String] = []
        for word in networkWords(value, source, &refused) {
            guard let network = network(word) else {
                refused.append(word.hasPrefix("!") ? "\(word): exceptions are not known here" : "\"\(word)\" is no network")
                continue
            }
            // ::ffff:127.0.0.0/104 is 127.0.0.0/8: addresses of that kind are IPv4 addresses here.
            if !out.contains(network) { out.append(network) }
        }
        return out
    }

    private static func networkWords(_ value: String, _ source: ImportSource, _ refused: inout [String]) -> [String] {
        var out: [String] = []
        for word in Words.split(value) {
            let table = TableReference(word)
            if word.hasPrefix("/") || table.isReadable || table.type == "cidr" {
                do { out += TableText(try source.read(table.name)).entries.map(\.key) } catch { refused.append("\(word): \(error)") }
            } else if !table.type.isEmpty, IPNetwork(word) == nil {
                refused.append(table.whyNot)
            } else { out.append(word) }
        }
        return out
    }

    /// `[::1]/128`, `127.0.0.0/8`, `[::ffff:127.0.0.0]/104`, in one form.
    static func network(_ word: String) -> String? {
        guard let network = IPNetwork(word) else { return nil }
        guard network.address.family == .v6, network.address.unmapped.family == .v4, network.prefixLength >= 96 else { return network.description }
        return IPNetwork(network.address.unmapped, prefixLength: network.prefixLength - 96)?.description
    }
}
