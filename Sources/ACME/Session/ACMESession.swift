import Foundation

/// One certificate, from the directory to the chain (RFC 8555 §7): events in, actions out; no socket, no file, no clock.
///
/// Each request that is refused for its nonce alone is sent again with the nonce that came with the refusal (§6.5).
public struct ACMESession: Sendable {
    public struct Order: Sendable {
        public var directory: String
        /// Host names, A-labels in lower case.
        public var names: [String]
        /// An address to be warned at; empty: none.
        public var contact: String
        public var challenge: ChallengeKind

        public init(directory: String, names: [String], contact: String, challenge: ChallengeKind) {
            self.directory = directory
            self.names = names
            self.contact = contact
            self.challenge = challenge
        }
    }

    /// Where it stands: what the next answer is to.
    enum Step: Sendable, Equatable {
        case directory, nonce, account, order
        case authorization, presenting(url: String), answering, checking
        case finalizing, issuing, downloading
        case over
    }

    let order: Order
    let key: AccountKey
    let request: CertificateRequest
    var step = Step.directory
    var urls: DirectoryObject?
    var account: String?
    var nonce: String?
    /// What was asked and waits for its answer, to be asked again with another nonce.
    var asked: (step: Step, url: String, payload: String?)?
    var refusedNonces = 0
    var orderURL = ""
    var finalizeURL = ""
    /// Those not yet valid; the first is worked on.
    var authorizations: [String] = []
    var polls = 0

    static let nonceLimit = 20
    /// Looks at something that is not ready yet.
    static let pollLimit = 60

    /// - Parameters:
    ///   - key: the account's; made known to the authority if it is not yet. That the account agrees to the authority's
    ///     terms of service is said with it: ask its owner before.
    public init(_ order: Order, key: AccountKey, request: CertificateRequest) {
        self.order = order
        self.key = key
        self.request = request
    }

    /// Goes on with what happened.
    public mutating func next(_ event: ACMEEvent) -> ACMEAction {
        switch event {
        case .start: return .send(ACMERequest(method: .get, url: order.directory, body: ""))
        case .failed(let failure): return fail(failure)
        case .presented:
            guard case .presenting(let url) = step else { return fail(.protocol, "a challenge is shown that nobody asked for") }
            return post("{}", to: url, then: .answering)
        case .waited: return lookAgain()
        case .answer(let answer): return take(answer)
        }
    }

    private mutating func take(_ answer: ACMEAnswer) -> ACMEAction {
        nonce = answer.headers["replay-nonce"] ?? nonce
        guard (200..<300).contains(answer.status) else { return refused(answer) }
        refusedNonces = 0
        do {
            switch step {
            case .directory: return try takeDirectory(answer)
            case .nonce: return askWithNonce()
            case .account: return try takeAccount(answer)
            case .order: return try takeOrder(answer)
            case .authorization, .checking: return try takeAuthorization(answer)
            case .answering: return wait(answer, then: .checking)
            case .finalizing, .issuing: return try takeIssue(answer)
            case .downloading: return takeChain(answer)
            case .presenting, .over: return fail(.protocol, "an answer that nobody waits for")
            }
        } catch {
            return fail(.protocol, "the authority's answer cannot be understood (\(step)): \(error)".prefix(300).description)
        }
    }

    // MARK: Asking

    /// A signed request, now or once there is a nonce for it.
    mutating func post(_ payload: String?, to url: String, then step: Step) -> ACMEAction {
        asked = (step, url, payload)
        guard nonce != nil else {
            self.step = .nonce
            return .send(ACMERequest(method: .head, url: urls?.newNonce ?? "", body: ""))
        }
        return askWithNonce()
    }

    private mutating func askWithNonce() -> ACMEAction {
        guard let asked else { return fail(.protocol, "nothing was asked") }
        // RFC 8555 §6.5: each is used once.
        guard let fresh = nonce else { return fail(.protocol, "the authority gives no nonce") }
        nonce = nil
        step = asked.step
        do {
            let identity = account.map { JWS.Identity.account($0) } ?? .key
            let body = try JWS.sign(asked.payload, url: asked.url, nonce: fresh, as: identity, with: key)
            return .send(ACMERequest(method: .post, url: asked.url, body: body, wantsCertificate: step == .downloading))
        } catch {
            return fail(.local, "\(error)")
        }
    }

    private mutating func refused(_ answer: ACMEAnswer) -> ACMEAction {
        let problem = (try? Self.decode(ProblemObject.self, answer)) ?? ProblemObject(detail: "status \(answer.status)")
        // RFC 8555 §6.5: the refusal brings a nonce that is good.
        if problem.kind == "badNonce", refusedNonces < Self.nonceLimit, asked != nil {
            refusedNonces += 1
            guard let asked, nonce == nil else { return askWithNonce() }
            return post(asked.payload, to: asked.url, then: asked.step)
        }
        let patience = RetryAfter.seconds(answer)
        switch problem.kind {
        case "rateLimited": return fail(.rateLimited, problem.text, retryAfter: patience)
        case "connection", "unauthorized", "dns", "incorrectResponse", "tls", "caa": return fail(.challenge, problem.text)
        default:
            let kind: ACMEFailure.Kind = answer.status == 429 || answer.status == 503 ? .rateLimited : answer.status >= 500 ? .unreachable : .refused
            return fail(kind, problem.text, retryAfter: patience)
        }
    }

    // MARK: Waiting

    mutating func wait(_ answer: ACMEAnswer, then step: Step) -> ACMEAction {
        polls += 1
        guard polls <= Self.pollLimit else { return fail(.timedOut, "the authority has not decided after \(Self.pollLimit) looks") }
        self.step = step
        // RFC 8555 §7.5.1: it may say when to look again.
        return .wait(min(max(RetryAfter.seconds(answer) ?? 2, 1), 60))
    }

    private mutating func lookAgain() -> ACMEAction {
        switch step {
        case .checking: return post(nil, to: authorizations.first ?? "", then: .checking)
        case .issuing: return post(nil, to: orderURL, then: .issuing)
        default: return fail(.protocol, "a wait that nobody asked for")
        }
    }

    mutating func fail(_ kind: ACMEFailure.Kind, _ text: String, retryAfter: Int? = nil) -> ACMEAction {
        fail(ACMEFailure(kind, text, retryAfter: retryAfter))
    }

    private mutating func fail(_ failure: ACMEFailure) -> ACMEAction {
        step = .over
        return .failed(failure)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ answer: ACMEAnswer) throws -> Value {
        try JSONDecoder().decode(type, from: Data(answer.body))
    }
}

enum RetryAfter {
    /// RFC 9110 §10.2.3: seconds, or a date; nil when there is none that makes sense. At most a week.
    static func seconds(_ answer: ACMEAnswer, now: Date = Date()) -> Int? {
        guard let text = answer.headers["retry-after"] else { return nil }
        if let seconds = Int(text) { return min(max(seconds, 0), 604_800) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: text).map { min(max(Int($0.timeIntervalSince(now).rounded(.up)), 0), 604_800) }
    }
}
