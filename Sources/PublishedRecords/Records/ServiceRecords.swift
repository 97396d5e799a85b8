import NetworkAddress

/// Where mail clients find us by themselves (RFC 6186 §3, RFC 8314 §5.1).
enum ServiceRecords {
    static func make(_ domain: DomainName, _ setup: MailSetup) -> [WantedRecord] {
        MailSetup.Service.allCases.compactMap { record($0, domain, setup) } + [none("pop3s", domain), none("pop3", domain)].compactMap { $0 }
    }

    private static func record(_ service: MailSetup.Service, _ domain: DomainName, _ setup: MailSetup) -> WantedRecord? {
        guard let port = setup.ports[service] else { return none(service.rawValue, domain) }
        guard let name = domain.prepending("_\(service.rawValue)._tcp") else { return nil }
        // RFC 8314 §5.1: TLS from the first octet goes before STARTTLS.
        let isImplicit = service == .imaps || service == .submissions
        return WantedRecord(.service, domain, name, .service(priority: isImplicit ? 0 : 10, weight: 1, port: port, setup.hostname), .optional,
                            why: isImplicit ? "mail clients that look set themselves up (RFC 6186, RFC 8314)" : "the same with STARTTLS, for older clients")
    }

    /// RFC 6186 §3.4: a target of `.` says that the service is not offered.
    private static func none(_ service: String, _ domain: DomainName) -> WantedRecord? {
        domain.prepending("_\(service)._tcp").map {
            WantedRecord(.service, domain, $0, .service(priority: 0, weight: 0, port: 0, .root), .optional, why: "says that there is no \(service) here, so that nobody tries")
        }
    }
}
