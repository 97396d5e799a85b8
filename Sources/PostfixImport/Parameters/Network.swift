import NetworkAddress
import PostfixDoctor

extension Treatments {
    static let network: [String: Treatment] = [
        "inet_interfaces": Treatment { parameter, _, source in
            do throws(ImportFailure) {
                let hosts = try ListenerHosts(source.postfix)
                return hosts.isEverywhere ? .isDefault("the ports are served on every address") : .carried("the addresses of listen.*: \(hosts.texts.joined(separator: ", "))")
            } catch { return .notUnderstood(error.description) }
        },
        "inet_protocols": Treatment(protocols),
        "smtp_bind_address": .setting("smtp_bind_address", .text),
        "smtp_bind_address6": .setting("smtp_bind_address6", .text),
        "smtp_bind_address_enforce": .builtIn(["yes"], "mail waits rather than leave from another address", else: .notCarried("mail never leaves from another address than smtp_bind_address")),
        "smtp_address_preference": Treatment { parameter, draft, source in
            let word = source.postfix.value("inet_protocols").lowercased()
            if ["ipv4", "ipv6"].contains(word) { return .notNeeded("inet_protocols leaves one family only") }
            return Treatment.setting("smtp_address_preference", .words(["any": "any", "ipv4": "ipv4", "ipv6": "ipv6"])).apply(parameter, &draft, source)
        },
        "smtp_balance_inet_protocols": .builtIn(["yes"], "with smtp_address_preference = any both families have their turn", else: .notNeeded("set smtp_address_preference where one family is to come first")),
        "smtp_host_lookup": .builtIn(["dns"], "hosts are looked up in the DNS", else: .notCarried("hosts are looked up in the DNS only, /etc/hosts is not asked")),
        "disable_dns_lookups": .builtIn(["no"], "hosts are looked up in the DNS", else: .notCarried("set relayhost: without it the MX is asked for")),
        "ignore_mx_lookup_error": .builtIn(["no"], "mail waits when the DNS does not answer", else: .notCarried("mail always waits when the DNS does not answer")),
        "smtp_defer_if_no_mx_address_found": .notNeeded("a host without an address is tried again later only when the DNS says that it does not know"),
        "smtp_dns_support_level": .notNeeded("DNSSEC is used where dns.trust_anchor_file is set"),
        "smtp_dns_resolver_options": .notNeeded("names are always asked for as they stand"),
    ]

    private static func protocols(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let words = Set(parameter.words.map { $0.lowercased() })
        if words == ["all"] || words == ["ipv4", "ipv6"] { return .isDefault("both families are used") }
        guard words.count == 1, let word = words.first, ["ipv4", "ipv6"].contains(word) else { return .notUnderstood("\"\(parameter.value)\" is not all, ipv4 or ipv6") }
        // Listeners take the family from here too.
        return draft.set("smtp_address_preference", TOMLText.string("\(word)-only"), from: parameter.origin)
    }
}

/// The addresses that Postfix listens on: `inet_interfaces` within `inet_protocols`.
struct ListenerHosts: Sendable, Hashable {
    /// As `listen.*` writes them.
    let texts: [String]
    var isEverywhere: Bool { texts == ["*"] }

    init(_ postfix: PostfixSettings) throws(ImportFailure) {
        let family = postfix.value("inet_protocols").lowercased()
        var out: [String] = []
        for word in Words.split(postfix.value("inet_interfaces").lowercased()) {
            for text in try Self.hosts(word, family) where !out.contains(text) { out.append(text) }
        }
        texts = out.isEmpty || out.contains("*") ? ["*"] : out
    }

    private static func hosts(_ word: String, _ family: String) throws(ImportFailure) -> [String] {
        switch word {
        case "all": return [family == "ipv4" ? "0.0.0.0" : "*"]
        case "loopback-only", "localhost": return (family == "ipv6" ? [] : ["127.0.0.1"]) + (family == "ipv4" ? [] : ["[::1]"])
        default:
            let bare = word.hasPrefix("[") && word.hasSuffix("]") ? String(word.dropFirst().dropLast()) : word
            guard let address = IPAddress(bare) else {
                throw ImportFailure("inet_interfaces: \"\(word)\" is a name: write its address, since a listener is bound to an address here")
            }
            return [address.family == .v4 ? "\(address)" : "[\(address)]"]
        }
    }
}
