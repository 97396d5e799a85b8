import NetworkAddress

/// What becomes of the settings of the programs whose work the built-in filters do.
enum MilterPrograms {
    static func carryOpenDKIM(_ source: ImportSource, _ draft: inout Draft) {
        guard let text = source.openDKIM else { return }
        let file = MilterSettingsFile(text)
        let signs = file.value("Mode")?.lowercased().contains("s") ?? true
        let tables = signs ? SigningTables(file, source) : nil
        draft.keys = tables?.keys ?? []
        for key in draft.keys {
            draft.step("our user must be able to read \(key.keyFile), and nobody else: chown it when OpenDKIM is gone")
        }
        for line in file.lines { draft.note(file.file, nil, line.name, line.value, openDKIM(line, file, tables, &draft, source)) }
    }

    private static let processNames: Set<String> = [
        "socket", "userid", "umask", "pidfile", "syslog", "syslogfacility", "syslogname", "syslogsuccess", "logwhy", "logresults", "autorestart", "autorestartcount",
        "autorestartrate", "background", "basedirectory", "changerootdirectory", "temporarydirectory", "enablecoredumps", "milterdebug", "softstart", "softwareheader",
        "macrolist", "mta", "externalignorelist", "peerlist", "disablecryptoinit", "querycache", "resolverconfiguration", "resolvertracing", "diagnostics",
        "keeptemporaryfiles", "statistics", "statisticsname", "statisticsprefix", "captureunknownerrors", "fixcrlf", "noheaderb", "recordallmessages", "reportcommand",
        "copyfailuresto", "maximumheaders",
    ]
    private static let process = Outcome.notNeeded("about that program's process and logs; the filters are part of this one")

    private static func openDKIM(_ line: MilterSettingsFile.Line, _ file: MilterSettingsFile, _ tables: SigningTables?, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let name = line.name.lowercased(), value = line.value
        switch name {
        case "domain", "selector", "keyfile", "keytable", "signingtable", "subdomains":
            guard let tables else { return .notNeeded("Mode says that it does not sign") }
            if name == "domain" || name == "signingtable", !tables.refused.isEmpty { return .notCarried(tables.refused.joined(separator: "; ")) }
            return .carried("[[dkim]]: " + tables.keys.map { "\($0.selector)._domainkey.\($0.domain)" }.joined(separator: ", "))
        case "mode": return value.lowercased().contains("v") ? .isDefault("what comes in is verified, what own users send is signed") : .notNeeded("what comes in is always verified")
        case "internalhosts": return internalHosts(value, source)
        case "trustanchorfile": return draft.set("dns.trust_anchor_file", TOMLText.string(value), from: "OpenDKIM's TrustAnchorFile")
        case "nameservers": return draft.set("dns.forwarders", TOMLText.list(Words.split(value)), from: "OpenDKIM's Nameservers")
        case "authservid": return authservID(value, draft: &draft, source)
        case "maximumsignaturestoverify": return draft.set("dkim_signature_limit", value, from: "OpenDKIM's MaximumSignaturesToVerify")
        case "canonicalization": return value.lowercased() == "relaxed/relaxed" ? .isDefault("signatures are relaxed/relaxed") : .notNeeded("signatures are relaxed/relaxed, which every verifier takes")
        case "oversignheaders", "signheaders", "omitheaders": return .isDefault("From is signed once more than it occurs, and so are the other fields that must not be added to")
        case "signaturealgorithm": return value.lowercased() == "rsa-sha1" ? .notNeeded("rsa-sha1 is out of use (RFC 8301); keys sign with SHA-256") : .isDefault("an RSA key signs by rsa-sha256, an Ed25519 key by ed25519-sha256")
        case "minimumkeybits": return .isDefault("keys of fewer than 1024 bits are not believed (RFC 8301)")
        case "multiplesignatures": return .isDefault("each key that fits the From domain signs")
        case "alwaysaddarheader", "authservidwithjobid", "removearall", "removearfrom", "keepauthresults": return .isDefault("Authentication-Results are always written, and others in our name removed")
        case "requiresafekeys": return .isDefault("a key that others can read is not used")
        case "removeoldsignatures", "resignall", "clockdrift", "dnstimeout", "dnsconnect", "signaturettl", "quarantine", "minimum", "maximumsignedbytes", "bodylengthdb", "allowsha1only":
            return .notNeeded("signatures cover the whole body and do not end; old ones stay")
        case let on where on.hasPrefix("on-"):
            return ["accept", "tempfail"].contains(value.lowercased()) ? .isDefault("the result stands in Authentication-Results; rules decide")
                : .notCarried("a rule can do it; a signature that fails is as good as none (RFC 6376 §6.1), and DMARC says what its domain wants")
        case _ where processNames.contains(name): return process
        case "include": return .notCarried("put the lines of \(value) into one file and name it with --opendkim-conf")
        case "dontsignmailto", "exemptdomains", "mustbesigned", "replaceheaders", "senderheaders", "identityheader", "sendreports", "reportaddress", "requestreports", "redirectfailuresto", "resignmailto":
            return .notCarried("there is no counterpart")
        default: return .notUnderstood("no such setting of OpenDKIM is known")
        }
    }

    /// Whose mail is signed: ours asks for a log-in or for mynetworks.
    private static func internalHosts(_ value: String, _ source: ImportSource) -> Outcome {
        var ignored: [String] = []
        let own = Treatments.networks(source.postfix.value("mynetworks"), source, &ignored).compactMap { IPNetwork($0) }
        do throws(ImportFailure) {
            let others = try DataSet.rows(value, source).rows.map(\.key).filter { word in
                guard let network = IPNetwork(word) else { return word != "localhost" && word.lowercased() != source.postfix.value("myhostname").lowercased() }
                return !own.contains { $0.contains(network.address) && $0.prefixLength <= network.prefixLength }
            }
            return others.isEmpty ? .isDefault("mail of mynetworks and of those who log in is signed")
                : .notCarried("mail is signed when its client is in mynetworks or logged in. These are not in mynetworks: \(others.joined(separator: ", ")); let them log in, or add them, which lets them send everywhere")
        } catch { return .notUnderstood(error.description) }
    }

    static func carryOpenDMARC(_ source: ImportSource, _ draft: inout Draft) {
        guard let text = source.openDMARC else { return }
        let file = MilterSettingsFile(text)
        for line in file.lines { draft.note(file.file, nil, line.name, line.value, openDMARC(line, &draft, source)) }
    }

    private static func openDMARC(_ line: MilterSettingsFile.Line, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let isOn = ["true", "yes", "1", "on"].contains(line.value.lowercased())
        switch line.name.lowercased() {
        case "rejectfailures":
            guard isOn else { return .isDefault("results stand in Authentication-Results; rules decide") }
            draft.add(RuleDraft(stage: "message", name: "RejectFailures", condition: "dmarc.result == fail and dmarc.policy == reject",
                                action: "reject 550 \"5.7.1\" \"rejected by DMARC policy for {from.domain}\""))
            return .carried("a rule: reject what fails DMARC where its domain asks for that")
        case "holdquarantinedmessages":
            guard isOn else { return .isDefault("nothing is held") }
            draft.add(RuleDraft(stage: "message", name: "HoldQuarantinedMessages", condition: "dmarc.result == fail and dmarc.policy == quarantine", action: "quarantine \"DMARC policy of {from.domain}\""))
            return .carried("a rule: hold what fails DMARC where its domain asks for quarantine")
        case "authservid": return authservID(line.value, draft: &draft, source)
        case "ignoreauthenticatedclients": return isOn ? .isDefault("own users' mail is not asked about") : .notNeeded("own users' mail is never asked about")
        case "trustedauthservids": return .notNeeded("results are handed on within the program, not read from header fields")
        case "spfignoreresults", "spfselfvalidate": return .isDefault("SPF is evaluated here")
        case "publicsuffixlist": return .notNeeded("domains are found by the tree walk of RFC 9989, without a list")
        case "historyfile": return .isDefault("a row of each message is kept: postern dmarc")
        case "failurereports": return isOn ? .notCarried("no failure reports are sent") : .isDefault("no failure reports are sent")
        case "failurereportsbcc", "failurereportssentby", "failurereportsonnone", "maxfailurereports": return .notNeeded("no failure reports are sent")
        case "requiredheaders": return isOn ? .notCarried("a rule can do it: when from == missing then reject") : .isDefault("headers are not demanded")
        case "ignorehosts": return internalHosts(line.value, source).fate == .isDefault ? .isDefault("mail of mynetworks is not asked about")
            : .notCarried("mail of mynetworks and of own users is not asked about; servers that pass on mail for you belong into trusted_relays")
        case "ignoremailfrom": return .notCarried("a rule can do it: and from.domain not in [\(Words.split(line.value).map { TOMLText.string($0) }.joined(separator: ", "))]")
        case "dnstimeout", "mutexes", "domainwhitelist", "domainwhitelistfile", "domainwhitelistsize": return .notNeeded("the DNS is asked by our own resolver")
        case let name where processNames.contains(name): return process
        default: return .notUnderstood("no such setting of OpenDMARC is known")
        }
    }

    private static func authservID(_ value: String, draft: inout Draft, _ source: ImportSource) -> Outcome {
        // HOSTNAME: the machine's own name (opendmarc.conf(5)).
        if value == "HOSTNAME" || value.lowercased() == source.postfix.value("myhostname").lowercased() { return .isDefault("authserv_id is myhostname by default") }
        return draft.set("authserv_id", TOMLText.string(value), from: "AuthservID")
    }
}
