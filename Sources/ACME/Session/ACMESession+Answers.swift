import Foundation

// What each answer leads to, in the order of RFC 8555 §7.
extension ACMESession {
    mutating func takeDirectory(_ answer: ACMEAnswer) throws -> ACMEAction {
        let directory = try Self.decode(DirectoryObject.self, answer)
        urls = directory
        if directory.meta?.externalAccountRequired == true {
            return fail(.refused, "this authority wants an account that was opened elsewhere (external account binding), which is not supported")
        }
        let contact = order.contact.isEmpty ? "" : #""contact":[\#(JSONText.quote("mailto:" + order.contact))],"#
        // §7.3: for a key that has an account already this finds it.
        return post(#"{\#(contact)"termsOfServiceAgreed":true}"#, to: directory.newAccount, then: .account)
    }

    mutating func takeAccount(_ answer: ACMEAnswer) throws -> ACMEAction {
        guard let location = answer.headers["location"], let urls else { return fail(.protocol, "the authority does not name the account") }
        account = location
        let names = order.names.map { #"{"type":"dns","value":\#(JSONText.quote($0))}"# }
        return post(#"{"identifiers":\#(JSONText.list(names))}"#, to: urls.newOrder, then: .order)
    }

    mutating func takeOrder(_ answer: ACMEAnswer) throws -> ACMEAction {
        let made = try Self.decode(OrderObject.self, answer)
        guard let location = answer.headers["location"] else { return fail(.protocol, "the authority does not name the order") }
        (orderURL, finalizeURL, authorizations) = (location, made.finalize, made.authorizations)
        guard authorizations.count <= 100 else { return fail(.protocol, "the authority wants \(authorizations.count) authorisations") }
        return nextAuthorization()
    }

    private mutating func nextAuthorization() -> ACMEAction {
        polls = 0
        guard let url = authorizations.first else {
            return post(#"{"csr":"\#(Base64URL.encode(request.der))"}"#, to: finalizeURL, then: .finalizing)
        }
        return post(nil, to: url, then: .authorization)
    }

    mutating func takeAuthorization(_ answer: ACMEAnswer) throws -> ACMEAction {
        let authorization = try Self.decode(AuthorizationObject.self, answer)
        let name = authorization.identifier.value
        switch authorization.status {
        case .valid:
            authorizations.removeFirst()
            return nextAuthorization()
        case .pending where step == .checking: return wait(answer, then: .checking)
        case .pending: return present(authorization)
        case .invalid:
            let problem = authorization.challenges.compactMap(\.error).first
            return fail(.challenge, "\(name): \(order.challenge.rawValue) failed: \(problem?.text ?? "no reason given")")
        case .deactivated, .expired, .revoked: return fail(.challenge, "\(name): the authorisation is \(authorization.status.rawValue)")
        }
    }

    private mutating func present(_ authorization: AuthorizationObject) -> ACMEAction {
        let name = authorization.identifier.value
        guard order.names.contains(name) else { return fail(.protocol, "the authority asks about \(name.prefix(100)), which was not ordered") }
        guard let challenge = authorization.challenges.first(where: { $0.type == order.challenge.rawValue }) else {
            let offered = authorization.challenges.map { String($0.type.prefix(30)) }.joined(separator: ", ")
            return fail(.refused, "\(name): the authority does not offer \(order.challenge.rawValue), but \(offered)")
        }
        // §8.3: 128 random bits in the URL's alphabet; it becomes part of a path.
        guard let token = challenge.token, (22...256).contains(token.utf8.count),
            token.unicodeScalars.allSatisfy({ $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_") }) else {
            return fail(.protocol, "\(name): the authority's token is not well formed")
        }
        step = .presenting(url: challenge.url)
        return .present(ACMEChallenge(kind: order.challenge, name: name, token: token, keyAuthorization: token + "." + key.thumbprint))
    }

    mutating func takeIssue(_ answer: ACMEAnswer) throws -> ACMEAction {
        let made = try Self.decode(OrderObject.self, answer)
        switch made.status {
        case .valid:
            guard let url = made.certificate else { return fail(.protocol, "the authority does not say where the certificate is") }
            return post(nil, to: url, then: .downloading)
        // §7.4: ready after finalize means that the finalisation did not take; it is looked at again.
        case .processing, .ready, .pending: return wait(answer, then: .issuing)
        case .invalid: return fail(.refused, "the authority does not issue the certificate: \(made.error?.text ?? "no reason given")")
        }
    }

    mutating func takeChain(_ answer: ACMEAnswer) -> ACMEAction {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard text.contains("-----BEGIN CERTIFICATE-----"), text.contains("-----END CERTIFICATE-----"), !text.contains("PRIVATE KEY") else {
            return fail(.protocol, "what the authority sends is no certificate chain")
        }
        step = .over
        return .finished(chainPEM: text)
    }
}
