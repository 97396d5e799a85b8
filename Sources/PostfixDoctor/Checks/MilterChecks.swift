/// Which milters are asked, where, and what happens when one cannot be.
extension PostfixDoctor {
    typealias Service = PostfixSettings.Service

    /// Where the milter's own address would be seen from Postfix; nil without a milter listener.
    private var ourMilter: Endpoint? { own.milter.flatMap { endpoint($0, nil) } }

    /// `cleanup` asks the non_smtpd milters.
    private var cleanup: Service? { postfix.services.first { $0.program == "cleanup" } }

    /// Every entry with the service that connects to it.
    var milterEntries: [(MilterEntry, Service?)] {
        postfix.smtpd.flatMap { service in MilterEntry.list(postfix.value("smtpd_milters", service)).map { ($0, service as Service?) } }
            + MilterEntry.list(postfix.value("non_smtpd_milters")).map { ($0, cleanup) }
    }

    private func isOurs(_ entry: MilterEntry, _ client: Service?) -> Bool {
        guard let ours = ourMilter, let there = endpoint(entry.address, client) else { return false }
        return there.isSame(as: ours)
    }

    /// It names our socket, and means another file: a chroot lies between.
    private func misses(_ there: Endpoint, _ client: Service?) -> (path: String, ours: String)? {
        guard case .unix(let path) = there, case .unix(let ours)? = ourMilter, path != ours,
            path.hasSuffix(ours) || path.split(separator: "/").last == ours.split(separator: "/").last else { return nil }
        return (path, ours)
    }

    /// Ours, or meant to be.
    private func isMeantForUs(_ entry: MilterEntry, _ client: Service?) -> Bool {
        isOurs(entry, client) || endpoint(entry.address, client).flatMap { misses($0, client) } != nil
    }

    var milterChecks: [Finding] {
        wiring + strangers + reachability + failure + keptResults
            + ((Int(postfix.value("milter_protocol")) ?? 6) < 6 ? [Finding(
                "milter-protocol", .fix,
                "Postfix speaks version \(postfix.value("milter_protocol")) of the milter protocol: macros cannot be asked for, leading blanks of headers are lost, and with them signatures.",
                file: postfix.mainFile, lines: ["milter_protocol = 6"])] : [])
    }

    /// Whether we are asked at all, and once.
    private var wiring: [Finding] {
        guard let address = own.milter else { return [] }
        var out: [Finding] = []
        for service in postfix.smtpd {
            let ours = MilterEntry.list(postfix.value("smtpd_milters", service)).filter { isMeantForUs($0, service) }
            if ours.isEmpty {
                let inMain = service.overrides["smtpd_milters"] == nil
                out.append(Finding(
                    "milter-missing", .fix,
                    "Mail that comes in by the service \(service.name) does not pass our filters: nothing is verified or signed there, and forged Authentication-Results stay in.",
                    file: inMain ? postfix.mainFile : postfix.masterFile,
                    lines: [inMain ? "smtpd_milters = \(address)" : "  -o smtpd_milters=\(address)"]))
            } else if ours.count > 1 {
                out.append(Finding("milter-twice", .fix, "The service \(service.name) asks our milter twice: mail would be signed twice.",
                                   file: postfix.mainFile, lines: ["smtpd_milters = \(address)"]))
            }
        }
        if !MilterEntry.list(postfix.value("non_smtpd_milters")).contains(where: { isMeantForUs($0, cleanup) }) {
            out.append(Finding("non-smtpd-milters", .fix, "Mail made on this machine (sendmail, cron) does not pass our filters, so it is not signed.",
                               file: postfix.mainFile, lines: ["non_smtpd_milters = \(address)"]))
        }
        return out
    }

    /// Milters beside us that would sign or speak of results too, known by the ports and paths that Debian gives them.
    private var strangers: [Finding] {
        var out: [Finding] = []
        for (entry, client) in milterEntries where !isMeantForUs(entry, client) {
            let text = entry.address.lowercased(), list = client?.program == "cleanup" ? "non_smtpd_milters" : "smtpd_milters"
            let rest = MilterEntry.list(postfix.value(list, client)).map(\.address).filter { $0 != entry.address }.joined(separator: ", ")
            func remove(_ check: String, _ why: String) -> Finding {
                Finding(check, .fix, "\(list) also asks \(entry.address). \(why)", file: postfix.mainFile, lines: ["\(list) = \(rest)"])
            }
            if text.contains("opendkim") || text.contains("dkim") || text.hasSuffix(":8891") {
                out.append(remove("two-signers", "That is where OpenDKIM listens: it would sign our users' mail as well, and judge signatures a second time. Take it out, or take our [[dkim]] keys out."))
            } else if text.contains("dmarc") || text.hasSuffix(":8893") {
                out.append(remove("two-verifiers", "That is where OpenDMARC listens: it would judge DMARC a second time, by results that are not ours. Take it out."))
            } else if text.contains("rspamd") || text.hasSuffix(":11332") {
                out.append(Finding("two-signers", .note, "\(list) also asks rspamd at \(entry.address), which signs where its dkim_signing module is configured. Let only one of us sign.",
                                   file: "/etc/rspamd/local.d/dkim_signing.conf", lines: ["enabled = false;"]))
            }
        }
        return out
    }

    /// Paths that a chrooted service cannot see, and places where nobody answers.
    private var reachability: [Finding] {
        milterEntries.compactMap { entry, client in
            guard let there = endpoint(entry.address, client) else { return nil }
            if let (path, ours) = misses(there, client), let client {
                return Finding(
                    "socket-path", .fix,
                    "The service \(client.name) is \(client.isChrootedText), so it looks for the milter at \(path), while we listen at \(ours). Let us listen where Postfix looks, or use a port.",
                    file: own.file, lines: ["listen.milter = \"unix:\(path)\""])
            }
            guard isSilent(there) else { return nil }
            return Finding("milter-silent", .fix, "Nobody answers at \(there), where Postfix asks a milter. Start the program, or correct the address.",
                           file: postfix.mainFile, lines: [(client?.program == "cleanup" ? "non_smtpd_milters" : "smtpd_milters") + " = " + (own.milter ?? "")])
        }
    }

    /// Our filters take out what others say in our name (RFC 8601 §5); where mail goes on without them, nobody does.
    private var keptResults: [Finding] {
        let opens = milterEntries.contains { isMeantForUs($0.0, $0.1) && ($0.0.options["default_action"] ?? postfix.value("milter_default_action")) == "accept" }
        guard opens, !own.authservID.isEmpty, postfix.value("header_checks").isEmpty else { return [] }
        let folder = postfix.main["config_directory"] ?? "/etc/postfix"
        return [Finding(
            "authserv-id-kept", .note,
            "While we do not answer mail goes on, and an Authentication-Results field that somebody forged in the name \(own.authservID) is not stripped. Header checks, which come before milters, can do it: put the first line into the file that the second one names.",
            file: postfix.mainFile, lines: ["/^Authentication-Results:[[:space:]]*\(Self.pattern(own.authservID))[[:space:];]/ IGNORE", "header_checks = regexp:\(folder)/header_checks"])]
    }

    /// A name as a regular expression.
    private static func pattern(_ name: String) -> String { name.replacing(".", with: "\\.") }

    /// What Postfix does when a milter cannot be asked.
    private var failure: [Finding] {
        let actions = Set(milterEntries.map { $0.0.options["default_action"] ?? postfix.value("milter_default_action") })
        return actions.sorted().map { action in
            let means = switch action {
            case "accept":
                "fails open: when we do not answer, mail goes on unverified and unsigned. To fail closed"
            case "reject": "fails closed: when we do not answer, mail is refused for good. \"tempfail\" would have senders try again"
            case "quarantine": "holds mail when we do not answer: it lies in the hold queue until somebody says postsuper -H"
            default: "fails closed: when we do not answer, senders are told to try again later, and nothing passes unverified or unsigned"
            }
            return Finding("default-action", .note, "milter_default_action = \(action) \(means).", file: postfix.mainFile,
                           lines: ["milter_default_action = \(action == "tempfail" ? "accept" : "tempfail")"])
        }
    }
}
