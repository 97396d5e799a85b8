import DNS
import NetworkAddress
import Policy

/// Whether a domain takes mail, so that a sender there can be answered.
struct MailExchangeLookup {
    let resolver: any Resolver

    func ask(_ domain: DomainName) async -> PolicyAnswer {
        let answer = await resolver.lookup(MXRecord.self, at: domain)
        if let failure = answer.failure { return failed(failure) }
        if !answer.records.isEmpty {
            // RFC 7505 §3: a null MX stands alone.
            return PolicyAnswer(.word(answer.records.allSatisfy(\.isNull) ? "null" : "mx"))
        }
        if answer.isNameError { return PolicyAnswer(.word("none")) }
        return await address(of: domain)
    }

    /// RFC 5321 §5.1: without an MX record the domain's own address takes its mail.
    private func address(of domain: DomainName) async -> PolicyAnswer {
        async let v6 = resolver.lookup(AAAARecord.self, at: domain)
        let v4 = await resolver.lookup(ARecord.self, at: domain)
        let other = await v6
        if !v4.records.isEmpty || !other.records.isEmpty { return PolicyAnswer(.word("address")) }
        if let failure = v4.failure ?? other.failure { return failed(failure) }
        return PolicyAnswer(.word("none"))
    }

    private func failed(_ why: String) -> PolicyAnswer { PolicyAnswer(nil, remarks: ["the DNS did not answer: \(why)"]) }
}
