/// Log-in and delivery.
extension PostfixDoctor {
    /// Where a service has log-ins checked by Dovecot's protocol; nil where it does not.
    func logInEndpoint(_ service: Service) -> Endpoint? {
        guard postfix.value("smtpd_sasl_auth_enable", service) == "yes", postfix.value("smtpd_sasl_type", service) == "dovecot" else { return nil }
        return endpoint(postfix.value("smtpd_sasl_path", service), service)
    }

    var logInChecks: [Finding] {
        guard !own.logIn.isEmpty else { return [] }
        return postfix.smtpd.flatMap { service -> [Finding] in
            guard postfix.value("smtpd_sasl_auth_enable", service) == "yes" else { return [] }
            guard postfix.value("smtpd_sasl_type", service) == "dovecot" else {
                return [Finding("log-in-type", .fix, "The service \(service.name) checks log-ins by \(postfix.value("smtpd_sasl_type", service)), not by us.",
                                file: postfix.mainFile, lines: ["smtpd_sasl_type = dovecot", "smtpd_sasl_path = \(suggested(own.logIn))"])]
            }
            return logInPlace(service) + logInFailure(service)
        }
    }

    private func logInPlace(_ service: Service) -> [Finding] {
        guard let there = logInEndpoint(service) else { return [] }
        guard own.logIn.contains(where: { $0.isSame(as: there) }) else {
            return [Finding("log-in-path", .fix,
                            "The service \(service.name) is \(service.isChrootedText) and asks for log-ins at \(there), while we listen at \(own.logIn.map(\.description).joined(separator: ", ")).",
                            file: postfix.mainFile, lines: ["smtpd_sasl_path = \(suggested(own.logIn))"])]
        }
        guard isSilent(there) else { return [] }
        return [Finding("log-in-silent", .fix, "Nobody answers at \(there), where the service \(service.name) asks for log-ins: start us, and mind that Postfix's user may open the socket (unix_socket_group).",
                        file: own.file, lines: ["listen.dovecot_auth = [\"\(setting(there))\"]"])]
    }

    /// smtpd ends with `fatal: no SASL authentication mechanisms` when the log-in server is away, whatever
    /// milter_default_action says: where strangers deliver, that stops all mail.
    private func logInFailure(_ service: Service) -> [Finding] {
        guard !service.isSubmission else { return [] }
        let inMain = service.overrides["smtpd_sasl_auth_enable"] == nil
        return [Finding(
            "log-in-on-port-25", .fix,
            "The service \(service.name), where other servers deliver, offers log-ins too. When we do not answer, Postfix's smtpd ends there and takes no mail at all, also with milter_default_action = accept. Offer log-ins on the submission services alone (-o smtpd_sasl_auth_enable=yes).",
            file: inMain ? postfix.mainFile : postfix.masterFile, lines: [inMain ? "smtpd_sasl_auth_enable = no" : "  -o smtpd_sasl_auth_enable=no"])]
    }

    struct Transport {
        let setting: String
        let value: String
        let client: Service?
        let endpoint: Endpoint?
    }

    /// `lmtp:unix:path` and `lmtp:inet:host:port` among the transports for local mail.
    var lmtpTransports: [Transport] {
        ["virtual_transport", "local_transport", "mailbox_transport"].compactMap { setting in
            let value = postfix.value(setting)
            guard let colon = value.firstIndex(of: ":"),
                let client = postfix.services.first(where: { $0.name == value[..<colon] && $0.type == "unix" && $0.program == "lmtp" }) else { return nil }
            let place = String(value[value.index(after: colon)...])
            return Transport(setting: setting, value: value, client: client, endpoint: endpoint(place, client))
        }
    }

    var deliveryChecks: [Finding] {
        lmtpTransports.compactMap { transport in
            guard let there = transport.endpoint else { return nil }
            if case .unix(let path) = there, let service = ownService(at: path) {
                return Finding("lmtp-name", .fix,
                               "\(transport.setting) points to \(path), which is the socket of Postfix's own service \(service.name): whoever starts last takes it from the other. Give ours another name.",
                               file: postfix.mainFile, lines: ["\(transport.setting) = lmtp:unix:private/postern-lmtp"])
            }
            guard own.lmtp.contains(where: { $0.isSame(as: there) }) else {
                guard !own.lmtp.isEmpty else { return nil }
                return Finding("lmtp-path", .fix,
                               "\(transport.setting) delivers to \(there) (the client is \(transport.client?.isChrootedText ?? "")), while we listen at \(own.lmtp.map(\.description).joined(separator: ", ")).",
                               file: postfix.mainFile, lines: ["\(transport.setting) = lmtp:\(suggested(own.lmtp, prefixed: true))"])
            }
            guard isSilent(there) else { return nil }
            return Finding("lmtp-silent", .fix, "Nobody answers at \(there), where \(transport.setting) delivers: mail waits in Postfix's queue. Start us, and mind that Postfix's user may open the socket (unix_socket_group).",
                           file: own.file, lines: ["listen.lmtp = [\"\(setting(there))\"]"])
        }
    }

    private func ownService(at path: String) -> Service? {
        postfix.services.first { $0.type == "unix" && (path == "\(postfix.queueDirectory)/private/\($0.name)" || path == "\(postfix.queueDirectory)/public/\($0.name)") }
    }

    /// One of our places as Postfix writes it: relative to its queue, which is right inside and outside of a chroot.
    private func suggested(_ places: [Endpoint], prefixed: Bool = false) -> String {
        switch places.first {
        case .unix(let path)?:
            let queue = postfix.queueDirectory + "/"
            return (prefixed ? "unix:" : "") + (path.hasPrefix(queue) ? String(path.dropFirst(queue.count)) : path)
        case .inet(let host, let port)?: return "inet:\(host):\(port)"
        case nil: return ""
        }
    }

    private func setting(_ place: Endpoint) -> String {
        switch place {
        case .unix(let path): "unix:\(path)"
        case .inet(let host, let port): "\(host):\(port)"
        }
    }
}
