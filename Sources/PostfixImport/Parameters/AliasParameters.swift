import Aliases

extension Treatments {
    static let aliases: [String: Treatment] = [
        "alias_maps": Treatment { carryTables($0, to: "alias_maps", &$1, $2) },
        "virtual_alias_maps": Treatment { carryTables($0, to: "virtual_alias_maps", &$1, $2) },
        "virtual_maps": Treatment { carryTables($0, to: "virtual_alias_maps", &$1, $2) },
        "alias_database": .notNeeded("tables need no database: the source file is read at the start and at each reload"),
        "virtual_alias_domains": Treatment { parameter, draft, source in
            // By default the keys of the table: a domain on a line of its own, which is ours here too.
            if parameter.value == source.postfix.value("virtual_alias_maps") { return .isDefault("domains with a line of their own in virtual_alias_maps are ours") }
            var refused: [String] = []
            let domains = domainList(parameter.value, source, &refused)
            guard refused.isEmpty else { return .notCarried(refused.joined(separator: "; ")) }
            return draft.set("virtual_alias_domains", TOMLText.list(domains), from: parameter.origin)
        },
        "virtual_alias_expansion_limit": .setting("virtual_alias_expansion_limit", .number),
        "virtual_alias_recursion_limit": .setting("virtual_alias_recursion_limit", .number),
        "virtual_alias_address_length_limit": .notNeeded("an address has at most 254 octets"),
        "propagate_unmatched_extensions": Treatment { parameter, draft, _ in
            draft.set("propagate_unmatched_extensions", TOMLText.list(parameter.words), from: parameter.origin)
        },
        "expand_owner_alias": .notNeeded("owner-NAME is the sender of mail to the list NAME, as in Postfix"),
        "reset_owner_alias": .notNeeded("owner-NAME is the sender of mail to the list NAME, as in Postfix"),
        "owner_request_special": .builtIn(["yes"], "owner-NAME is the sender of mail to the list NAME", else: .notCarried("owner-NAME in alias_maps is the sender of mail to the list NAME")),
        "canonical_maps": Treatment(rewriting), "sender_canonical_maps": Treatment(rewriting), "recipient_canonical_maps": Treatment(rewriting),
        "smtp_generic_maps": Treatment(rewriting), "masquerade_domains": Treatment(rewriting), "relocated_maps": Treatment(rewriting),
        "canonical_classes": .notNeeded("addresses are not rewritten"), "sender_canonical_classes": .notNeeded("addresses are not rewritten"),
        "recipient_canonical_classes": .notNeeded("addresses are not rewritten"), "masquerade_classes": .notNeeded("addresses are not rewritten"),
        "masquerade_exceptions": .notNeeded("addresses are not rewritten"),
        "always_bcc": Treatment(blindCopy), "sender_bcc_maps": Treatment(blindCopy), "recipient_bcc_maps": Treatment(blindCopy),
    ]

    /// Tables that are read here as they are.
    private static func carryTables(_ parameter: Parameter, to key: String, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        var kept: [String] = [], refused: [String] = []
        for table in TableReference.list(parameter.value) {
            if table.isReadable, table.name.hasPrefix("/") {
                let faults = faults(of: table, as: key, source)
                if faults.isEmpty { kept.append("\(table)") } else { refused += faults }
            } else { refused.append(table.whyNot) }
        }
        let outcome = kept.isEmpty ? Outcome.isDefault("\(key) is empty by default") : draft.set(key, TOMLText.list(kept), from: parameter.origin)
        return refused.isEmpty ? outcome : .notCarried((refused + (kept.isEmpty ? [] : ["carried: \(kept.joined(separator: ", "))"])).joined(separator: "; "))
    }

    /// What our reader of such tables will not take: a table is read whole, or not at all.
    private static func faults(of table: TableReference, as key: String, _ source: ImportSource) -> [String] {
        let text: String
        do { text = try source.read(table.name) } catch { return ["\(table): \(error)"] }
        do throws(TableError) {
            if key == "alias_maps" {
                var aliases = AliasTable()
                try aliases.add(text, file: table.name, include: .files)
            } else {
                var virtual = VirtualTable()
                try virtual.add(text, file: table.name)
            }
            return []
        } catch { return error.faults.map { "\($0)" } }
    }

    private static func rewriting(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        if parameter.value.isEmpty { return .isDefault("addresses are not rewritten") }
        let instead = parameter.name == "recipient_canonical_maps" || parameter.name == "relocated_maps" ? "virtual_alias_maps takes such lines for recipients"
            : "have programs and users write the right sender; an account may write as each of its addresses"
        return .notCarried("addresses in headers are not rewritten; \(instead)")
    }

    private static func blindCopy(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        if parameter.value.isEmpty { return .isDefault("no copies are made") }
        guard parameter.name == "always_bcc", parameter.value.contains("@"), !parameter.value.contains("\"") else {
            return .notCarried("a rule can do it: copy to \"archive@example.org\" (policies/cookbook/archive-copy.policy)")
        }
        draft.add(RuleDraft(stage: "message", name: parameter.name, condition: "", action: "copy to \"\(parameter.value)\""))
        return .carried("a rule: copy to \(parameter.value)")
    }
}
