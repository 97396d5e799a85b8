import InternetMessage
import NetworkAddress
import SASL

/// AUTH, CONT and their ends.
extension AuthServerMachine {
    mutating func begin(_ id: UInt32, _ words: ArraySlice<String>, _ now: Int) -> [AuthAction] {
        guard requests[id] == nil else { return end("AUTH with the number of a request under way") }
        guard let mechanism = words.first?.uppercased(), !mechanism.isEmpty else { return end("AUTH without a mechanism") }
        let parameters = AuthParameters(words.dropFirst())
        guard requests.count < Self.requestLimit else { return [.send(Self.failed(id, temporary: true, "too many log-ins under way"))] }
        guard let stage = Self.stage(mechanism) else { return [.send(Self.failed(id, temporary: false, "the mechanism is not offered"))] }
        requests[id] = Request(stage: stage, mechanism: mechanism, parameters: parameters, began: now)
        if case .password = stage, !Self.maySendPassword(parameters) {
            return fail(id, temporary: false, "the password came without TLS; use STARTTLS")
        }
        return go(on: id, parameters.response, isFirst: true)
    }

    private static func stage(_ mechanism: String) -> Request.Stage? {
        // The TLS connection is the asking server's: there is nothing here to bind to.
        if mechanism == "SCRAM-SHA-256" { return .scram(SCRAMExchange()) }
        return SASLExchange(mechanism: mechanism).map { .password($0) }
    }

    /// RFC 4954 §4: no clear-text password on a line where others may listen. This machine's own clients have none.
    private static func maySendPassword(_ parameters: AuthParameters) -> Bool {
        if parameters.isSecured { return true }
        guard let text = parameters.clientAddress, !text.isEmpty else { return true }
        guard let client = IPAddress(text)?.unmapped else { return false }
        return client == .v4Loopback || client == IPAddress("::1") || text == parameters.localAddress
    }

    /// - Parameter response: base64; nil when AUTH came without.
    mutating func go(on id: UInt32, _ response: String?, isFirst: Bool = false) -> [AuthAction] {
        // Cancelled or expired meanwhile: the client has its FAIL.
        guard let request = requests[id] else { return isFirst ? [] : [.send(Self.failed(id, temporary: true, "there is no such log-in under way"))] }
        guard (response?.utf8.count ?? 0) <= Self.responseLimit else { return fail(id, temporary: false, "the response is too long") }
        switch request.stage {
        case .password(var exchange):
            let line = response.map { Array($0.utf8) }
            // LOGIN's and PLAIN's first step knows `=` for an empty response (RFC 4954 §4); later lines are empty themselves.
            let step = isFirst ? exchange.begin(line) : exchange.take(line ?? [])
            return take(step, exchange, id)
        case .scram(let exchange): return goOnSCRAM(exchange, id, response, isFirst)
        case .finalSent: return succeed(id)
        case .waitingForPassword, .waitingForKeys: return fail(id, temporary: false, "the client spoke out of turn")
        }
    }

    private mutating func take(_ step: SASLExchange.Step, _ exchange: SASLExchange, _ id: UInt32) -> [AuthAction] {
        switch step {
        case .challenge(let text):
            requests[id]?.stage = .password(exchange)
            return [.send("CONT\t\(id)\t\(text)")]
        case .malformed: return fail(id, temporary: false, "the response is malformed")
        case .finished(let credentials):
            requests[id]?.stage = .waitingForPassword
            requests[id]?.user = credentials.user
            return [.ask(id, .password(credentials, client: requests[id]?.client))]
        // SCRAM has its own way here, since its last message may go with OK.
        case .needsKeys, .proved, .refused: return fail(id, temporary: false, "the mechanism is not offered")
        }
    }

    private mutating func goOnSCRAM(_ exchange: SCRAMExchange, _ id: UInt32, _ response: String?, _ isFirst: Bool) -> [AuthAction] {
        // The client speaks first (RFC 5802 §5): without an initial response it is asked for one.
        guard let response else {
            return [.send("CONT\t\(id)\t")]
        }
        let text = isFirst && response == "=" ? "" : response
        guard let message = Base64.decodeStrictly(Array(text.utf8)) else { return fail(id, temporary: false, "the response is malformed") }
        var exchange = exchange
        do throws(SCRAMExchange.Failure) {
            if exchange.isExpectingFirst {
                let user = try exchange.clientFirst(message)
                requests[id]?.stage = .waitingForKeys(exchange)
                requests[id]?.user = user
                return [.ask(id, .scramKeys(user: user, client: requests[id]?.client))]
            }
            let final = try exchange.clientFinal(message)
            return noteProof(id, exchange.provenKey) + finishSCRAM(id, final)
        } catch {
            let guess = error == .wrongProof ? noteProof(id, nil) : []
            return guess + fail(id, temporary: false, error == .wrongProof ? nil : "SCRAM: \(error)")
        }
    }

    private func noteProof(_ id: UInt32, _ key: [UInt8]?) -> [AuthAction] {
        requests[id].map { [.noteProof(user: $0.user ?? "", client: $0.client, provenKey: key)] } ?? []
    }

    /// RFC 5802 §5's last message proves the server. It goes with OK where the asking server can take that; Postfix cannot,
    /// so it goes as one more challenge, which the client answers with nothing.
    private mutating func finishSCRAM(_ id: UInt32, _ message: [UInt8]) -> [AuthAction] {
        guard let request = requests[id], request.account != nil else { return fail(id, temporary: false, nil) }
        if request.parameters.takesFinalResponse { return succeed(id, response: Base64.encode(message)) }
        requests[id]?.stage = .finalSent
        return [.send("CONT\t\(id)\t\(Base64.encode(message))")]
    }

    /// The answer to a question. One that comes too late says nothing.
    public mutating func answer(_ id: UInt32, _ answer: AuthAnswer) -> [AuthAction] {
        guard let request = requests[id] else { return [] }
        switch (answer, request.stage) {
        case (.accepted(let account), .waitingForPassword):
            requests[id]?.account = account
            return succeed(id)
        case (.refused, .waitingForPassword): return fail(id, temporary: false, nil)
        case (.keys(let keys, let account), .waitingForKeys(var exchange)):
            guard let message = try? exchange.serverFirst(keys) else { return fail(id, temporary: true, "internal error") }
            requests[id]?.account = account
            requests[id]?.stage = .scram(exchange)
            return [.send("CONT\t\(id)\t\(Base64.encode(message))")]
        case (.unavailable(let reason), .waitingForPassword), (.unavailable(let reason), .waitingForKeys): return fail(id, temporary: true, reason)
        default: return []
        }
    }

    private mutating func succeed(_ id: UInt32, response: String? = nil) -> [AuthAction] {
        guard let account = requests.removeValue(forKey: id)?.account else { return [.send(Self.failed(id, temporary: true, nil))] }
        return [.send("OK\t\(id)\tuser=\(TabEscape.encode(account))" + (response.map { "\tresp=\($0)" } ?? ""))]
    }

    /// - Parameter reason: what the client may hear; nil for a wrong user or password, of which nobody learns which.
    mutating func fail(_ id: UInt32, temporary: Bool, _ reason: String?) -> [AuthAction] {
        guard let request = requests.removeValue(forKey: id) else { return [] }
        let log = AuthFailure(client: request.parameters.clientAddress, service: request.parameters.service, mechanism: request.mechanism,
                              reason: reason ?? "wrong user or password")
        // Temporary trouble is ours: the client is told to come again, and not what ails us.
        let said = temporary ? "Temporary authentication failure, try again later" : reason
        return [.send(Self.failed(id, user: request.user, temporary: temporary, said)), .logFailure(log)]
    }

    private static func failed(_ id: UInt32, user: String? = nil, temporary: Bool, _ reason: String?) -> String {
        // Postfix logs the name beside the client's address.
        "FAIL\t\(id)" + (user.map { "\tuser=\(TabEscape.encode($0))" } ?? "") + (temporary ? "\ttemp" : "") + (reason.map { "\treason=\(TabEscape.encode($0))" } ?? "")
    }
}
