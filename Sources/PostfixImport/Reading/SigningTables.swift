import NetworkAddress

/// OpenDKIM's keys: which domain's mail each signs. From `KeyTable` and `SigningTable`, or `Domain`, `Selector`, `KeyFile`.
struct SigningTables: Sendable {
    private(set) var keys: [SigningKeyDraft] = []
    /// What cannot be done here, in words.
    private(set) var refused: [String] = []

    init(_ file: MilterSettingsFile, _ source: ImportSource) {
        do throws(ImportFailure) {
            if let signing = file.value("SigningTable") {
                guard let table = file.value("KeyTable") else { throw ImportFailure("SigningTable stands without KeyTable") }
                try read(signing, keyTable(table, source), source)
            } else { try readSingle(file, source) }
        } catch { refused.append(error.description) }
    }

    private struct Key {
        let domain: String
        let selector: String
        let file: String
    }

    /// `name  domain:selector:/path` (opendkim.conf(5), KeyTable).
    private mutating func keyTable(_ value: String, _ source: ImportSource) throws(ImportFailure) -> [String: Key] {
        var out: [String: Key] = [:]
        for row in try DataSet.rows(value, source).rows {
            let parts = row.value.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, !parts[1].isEmpty else {
                refused.append("\(row.place): a key is written name domain:selector:/path")
                continue
            }
            guard parts[2].hasPrefix("/") else {
                refused.append("\(row.place): the key stands in the table itself; write it into a file of mode 0600")
                continue
            }
            out[row.key] = Key(domain: parts[0], selector: parts[1], file: parts[2])
        }
        return out
    }

    private mutating func read(_ value: String, _ table: [String: Key], _ source: ImportSource) throws(ImportFailure) {
        let (rows, isPattern) = try DataSet.rows(value, source)
        for row in rows {
            guard let key = table[trimmed(row.value.split(separator: ":").first ?? "")] else {
                refused.append("\(row.place): KeyTable has no key \"\(row.value)\"")
                continue
            }
            do throws(ImportFailure) { add(try Self.signed(row.key, isPattern: isPattern), key) } catch { refused.append("\(row.place): \(error)") }
        }
    }

    /// Whose mail a key of the signing table means.
    private static func signed(_ text: String, isPattern: Bool) throws(ImportFailure) -> (domain: String, below: Bool, itself: Bool) {
        if !isPattern {
            // `user@domain`, `domain`, `.domain` (opendkim.conf(5), SigningTable).
            if text.contains("@") { throw ImportFailure("\(text): a key signs for all of a domain here, not for single addresses") }
            if text.hasPrefix(".") { return (String(text.dropFirst()), true, false) }
            return (text, false, true)
        }
        if text == "*" { throw ImportFailure("*: a key signs for its own domain here, and for those below it with subdomains = true; name the domains") }
        guard text.hasPrefix("*@") else {
            if text.hasPrefix("*"), !text.dropFirst().contains("*") { return (String(text.dropFirst()), true, true) }
            throw ImportFailure("\(text): a key signs for all of a domain here, not for single addresses")
        }
        let domain = text.dropFirst(2)
        if domain.hasPrefix("*."), !domain.dropFirst().contains("*") { return (String(domain.dropFirst(2)), true, false) }
        guard !domain.contains("*") else { throw ImportFailure("\(text): a pattern within a name; name the domains") }
        return (String(domain), false, true)
    }

    private mutating func add(_ signed: (domain: String, below: Bool, itself: Bool), _ key: Key) {
        // %: the domain of the address (opendkim.conf(5), KeyTable).
        let own = key.domain == "%" ? signed.domain : key.domain.lowercased()
        guard DomainName(own)?.isHostName == true else {
            refused.append("\"\(own)\" is no domain")
            return
        }
        let isBelow = signed.domain.hasSuffix("." + own)
        guard signed.domain == own || isBelow else {
            refused.append("mail of \(signed.domain) would be signed by \(own): a key signs for its own domain here and those below it, as DMARC wants it")
            return
        }
        put(SigningKeyDraft(domain: own, selector: key.selector, keyFile: key.file, subdomains: signed.below || isBelow))
    }

    private mutating func put(_ key: SigningKeyDraft) {
        if let index = keys.firstIndex(where: { $0.domain == key.domain && $0.selector == key.selector && $0.keyFile == key.keyFile }) {
            keys[index].subdomains = keys[index].subdomains || key.subdomains
        } else { keys.append(key) }
    }

    private mutating func readSingle(_ file: MilterSettingsFile, _ source: ImportSource) throws(ImportFailure) {
        guard let value = file.value("Domain") else { return }
        guard let selector = file.value("Selector"), let keyFile = file.value("KeyFile") else { throw ImportFailure("Domain stands without Selector and KeyFile") }
        for row in try DataSet.rows(value, source).rows {
            let domain = row.key.lowercased()
            guard DomainName(domain)?.isHostName == true else {
                refused.append("Domain: \"\(row.key)\" is no domain")
                continue
            }
            put(SigningKeyDraft(domain: domain, selector: selector, keyFile: keyFile, subdomains: file.flag("SubDomains") == true))
        }
    }
}
