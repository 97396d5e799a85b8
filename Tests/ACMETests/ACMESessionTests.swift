import Foundation
import Testing
@testable import ACME

/// The conversation of RFC 8555 §7, with an authority that is a list of answers.
@Suite struct ACMESessionTests {
    let key: AccountKey
    let request: CertificateRequest
    init() throws {
        key = try AccountKey()
        request = try CertificateRequest(names: ["a.example"])
    }

    func session(_ names: [String] = ["a.example"]) -> ACMESession {
        ACMESession(.init(directory: "https://ca.example/dir", names: names, contact: "me@a.example", challenge: .http01), key: key, request: request)
    }

    static let directory = #"{"newNonce":"https://ca.example/nonce","newAccount":"https://ca.example/account","newOrder":"https://ca.example/order"}"#
    static let token = "0123456789abcdefghijkl"

    func answer(_ body: String, _ status: Int = 200, nonce: String? = "n", location: String? = nil, retry: String? = nil) -> ACMEEvent {
        var headers: [String: String] = [:]
        headers["replay-nonce"] = nonce
        headers["location"] = location
        headers["retry-after"] = retry
        return .answer(ACMEAnswer(status: status, headers: headers, body: Array(body.utf8)))
    }

    func order(_ status: String, certificate: String? = nil, authorizations: Int = 1) -> String {
        let list = (0..<authorizations).map { #""https://ca.example/authz/\#($0)""# }.joined(separator: ",")
        return #"{"status":"\#(status)","authorizations":[\#(list)],"finalize":"https://ca.example/finalize""# + (certificate.map { #","certificate":"\#($0)""# } ?? "") + "}"
    }

    func authorization(_ status: String, name: String = "a.example", token: String = token, type: String = "http-01", error: String = "") -> String {
        #"{"status":"\#(status)","identifier":{"type":"dns","value":"\#(name)"},"challenges":[{"type":"dns-01","url":"https://ca.example/x","token":"\#(token)"},{"type":"\#(type)","url":"https://ca.example/chall","token":"\#(token)"\#(error)}]}"#
    }

    func problem(_ type: String, _ detail: String = "why") -> String { #"{"type":"urn:ietf:params:acme:error:\#(type)","detail":"\#(detail)"}"# }

    /// The parts of a signed request: its protected header and its payload.
    func signed(_ action: ACMEAction) throws -> (url: String, header: [String: Any], payload: String) {
        guard case .send(let request) = action, request.method == .post else { throw Missing() }
        let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: String])
        let header = try #require(try JSONSerialization.jsonObject(with: try decoded(body["protected"])) as? [String: Any])
        #expect(header["url"] as? String == request.url)
        #expect(header["alg"] as? String == "ES256")
        return (request.url, header, String(decoding: try decoded(body["payload"]), as: UTF8.self))
    }

    struct Missing: Error {}

    func decoded(_ text: String?) throws -> Data {
        var text = try #require(text).replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return try #require(Data(base64Encoded: text))
    }

    /// Up to the order's answer.
    func begun(_ session: inout ACMESession) throws -> ACMEAction {
        #expect(session.next(.start) == .send(ACMERequest(method: .get, url: "https://ca.example/dir", body: "")))
        #expect(session.next(answer(Self.directory, nonce: nil)) == .send(ACMERequest(method: .head, url: "https://ca.example/nonce", body: "")))
        let account = try signed(session.next(answer("", nonce: "first")))
        #expect(account.header["nonce"] as? String == "first")
        #expect(account.header["jwk"] != nil && account.header["kid"] == nil)
        #expect(account.payload == #"{"contact":["mailto:me@a.example"],"termsOfServiceAgreed":true}"#)
        return session.next(answer("{}", 201, location: "https://ca.example/account/1"))
    }

    @Test func fromTheDirectoryToTheChain() throws {
        var session = session(["a.example", "b.example"])
        let order = try signed(try begun(&session))
        #expect(order.url == "https://ca.example/order")
        // §6.2: from here on the account's URL stands for the key.
        #expect(order.header["kid"] as? String == "https://ca.example/account/1" && order.header["jwk"] == nil)
        #expect(order.payload == #"{"identifiers":[{"type":"dns","value":"a.example"},{"type":"dns","value":"b.example"}]}"#)
        let look = try signed(session.next(answer(self.order("pending", authorizations: 2), 201, location: "https://ca.example/order/7")))
        #expect(look.url == "https://ca.example/authz/0" && look.payload == "")
        let shown = session.next(answer(authorization("pending")))
        guard case .present(let challenge) = shown else { Issue.record("\(shown)"); return }
        #expect(challenge.keyAuthorization == Self.token + "." + key.thumbprint)
        #expect(challenge.name == "a.example" && challenge.digest.count == 32)
        let ready = try signed(session.next(.presented))
        #expect(ready.url == "https://ca.example/chall" && ready.payload == "{}")
        #expect(session.next(answer("{}", retry: "5")) == .wait(5))
        #expect(try signed(session.next(.waited)).url == "https://ca.example/authz/0")
        #expect(session.next(answer(authorization("pending"), retry: "900")) == .wait(60))
        _ = session.next(.waited)
        #expect(try signed(session.next(answer(authorization("valid")))).url == "https://ca.example/authz/1")
        // The other one was proved before.
        let finalize = try signed(session.next(answer(authorization("valid", name: "b.example"))))
        #expect(finalize.url == "https://ca.example/finalize" && finalize.payload == #"{"csr":"\#(Base64URL.encode(request.der))"}"#)
        #expect(session.next(answer(self.order("processing"))) == .wait(2))
        #expect(try signed(session.next(.waited)).url == "https://ca.example/order/7")
        let download = session.next(answer(self.order("valid", certificate: "https://ca.example/cert")))
        guard case .send(let wanted) = download else { Issue.record("\(download)"); return }
        #expect(wanted.wantsCertificate && wanted.url == "https://ca.example/cert")
        let chain = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
        #expect(session.next(answer(chain)) == .finished(chainPEM: chain))
    }

    /// §6.5: sent again with the nonce of the refusal, and not for ever.
    @Test func aRefusedNonceIsReplaced() throws {
        var session = session()
        var action = try begun(&session)
        for number in 0..<ACMESession.nonceLimit {
            action = session.next(answer(problem("badNonce"), 400, nonce: "again\(number)"))
            #expect(try signed(action).header["nonce"] as? String == "again\(number)")
        }
        guard case .failed = session.next(answer(problem("badNonce"), 400)) else { Issue.record("for ever"); return }
    }

    func failure(_ events: [ACMEEvent]) throws -> ACMEFailure {
        var session = session()
        var action = try begun(&session)
        for event in events { action = session.next(event) }
        guard case .failed(let failure) = action else { throw Missing() }
        return failure
    }

    @Test func whatTheAuthorityRefusesIsSaidInItsWords() throws {
        #expect(try failure([answer(problem("rateLimited", "too many"), 429, retry: "3600")]) == ACMEFailure(.rateLimited, "too many", retryAfter: 3600))
        #expect(try failure([answer(problem("rejectedIdentifier", "never"), 400)]).kind == .refused)
        #expect(try failure([answer("<html>", 503, retry: "10")]) == ACMEFailure(.rateLimited, "status 503", retryAfter: 10))
        #expect(try failure([answer("<html>", 502)]).kind == .unreachable)
        let lost = #","error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"}"#
        let failed = try failure([answer(order("pending"), 201, location: "https://ca.example/order/7"), answer(authorization("pending")), .presented, answer("{}"), .waited,
                                  answer(authorization("invalid", error: lost))])
        #expect(failed.kind == .challenge && failed.text.contains("a.example") && failed.text.contains("refused"))
    }

    /// The token becomes a path and the name a certificate: neither is taken as it comes.
    @Test(arguments: ["short", "../../../../etc/passwd/aaaa", "0123456789abcdef%2e%2e%2f%2e", "0123456789abcdefghijk\u{e9}"])
    func aTokenThatIsNoneIsRefused(_ token: String) throws {
        #expect(try failure([answer(order("pending"), 201, location: "x"), answer(authorization("pending", token: token))]).kind == .protocol)
    }

    @Test func answersThatNoRFCForeseesEndIt() throws {
        #expect(try failure([answer("not JSON", 201, location: "x")]).kind == .protocol)
        #expect(try failure([answer(order("pending"), 201)]).kind == .protocol)
        #expect(try failure([answer(order("pending"), 201, location: "x"), answer(authorization("pending", name: "other.example"))]).kind == .protocol)
        #expect(try failure([answer(order("pending"), 201, location: "x"), answer(authorization("pending", type: "dns-02"))]).kind == .refused)
        #expect(try failure([answer(order("pending"), 201, location: "x"), answer(authorization("valid")), answer(order("valid", certificate: "u")), answer("no chain")]).kind == .protocol)
        #expect(try failure([.failed(ACMEFailure(.unreachable, "gone"))]) == ACMEFailure(.unreachable, "gone"))
    }

    @Test func nobodyIsAskedForEver() throws {
        var session = session()
        _ = try begun(&session)
        _ = session.next(answer(order("pending"), 201, location: "x"))
        _ = session.next(answer(authorization("pending")))
        _ = session.next(.presented)
        var action = session.next(answer("{}"))
        var looks = 0
        while case .wait = action {
            _ = session.next(.waited)
            action = session.next(answer(authorization("pending")))
            looks += 1
        }
        guard case .failed(let failure) = action else { Issue.record("\(action)"); return }
        #expect(failure.kind == .timedOut && looks == ACMESession.pollLimit)
    }
}

@Suite struct ACMEKeyTests {
    /// RFC 7515, appendix C.
    @Test func base64URL() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.encode([UInt8]()) == "")
    }

    @Test func aKeyIsKeptAsText() throws {
        let key = try AccountKey()
        let again = try AccountKey(pem: try key.pem())
        #expect(again.thumbprint == key.thumbprint && again.jwk == key.jwk)
        #expect(key.thumbprint.count == 43)
        #expect(try key.sign([1, 2, 3]).count == 64)
        #expect(throws: ACMEKeyError.self) { try AccountKey(pem: "rubbish") }
    }

    @Test(arguments: [[], ["a b"], ["a,DNS:b"], ["a.example\n"]]) func namesThatNoRequestBears(_ names: [String]) {
        #expect(throws: ACMEKeyError.self) { try CertificateRequest(names: names) }
    }

    @Test func jsonStrings() {
        #expect(JSONText.quote("a\"b\\c\n\u{1}") == #""a\"b\\c\u000a\u0001""#)
    }

    @Test func retryAfter() {
        func seconds(_ text: String) -> Int? { RetryAfter.seconds(ACMEAnswer(status: 503, headers: ["retry-after": text]), now: Date(timeIntervalSince1970: 784_111_777 - 60)) }
        #expect(seconds("120") == 120)
        #expect(seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 60)
        #expect(seconds("-5") == 0)
        #expect(seconds("99999999999") == 604_800)
        #expect(seconds("soon") == nil)
    }
}

@Suite struct RenewalPlanTests {
    let day: Int64 = 86_400

    @Test func aThirdOfTheLifeIsLeft() {
        #expect(RenewalPlan.due(notBefore: 0, notAfter: 90 * day, share: 0) == 60 * day)
        #expect(RenewalPlan.due(notBefore: 0, notAfter: 90 * day, share: 1) == 60 * day - 90 * day / 20)
        #expect(RenewalPlan.due(notBefore: 0, notAfter: 6 * day, share: 0) == 4 * day)
        #expect(RenewalPlan.due(notBefore: 10, notAfter: 5, share: 0) == 5)
    }

    @Test func failuresMakePatient() {
        #expect((1...10).map { RenewalPlan.pause(failures: $0, retryAfter: nil) } == [600, 1200, 2400, 4800, 9600, 19_200, 38_400, 76_800, 86_400, 86_400])
        #expect(RenewalPlan.pause(failures: 1, retryAfter: 7200) == 7200)
        #expect(RenewalPlan.pause(failures: 0, retryAfter: nil) == 600)
    }

    @Test func sharesSpread() {
        let shares = (0..<200).map { RenewalPlan.share(serial: String($0 &* 7_919_123, radix: 16)) }
        #expect(shares.allSatisfy { (0..<1).contains($0) })
        #expect(Set(shares).count > 100)
    }
}
