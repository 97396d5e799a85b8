import InternetMessage
import NetworkAddress
@testable import SASL
import Testing
@testable import DovecotAuth

/// Dovecot authentication protocol 1.2, as Postfix's xsasl_dovecot_server.c speaks it.
@Suite struct MachineTests {
    private func machine(greeted: Bool = true) -> AuthServerMachine {
        var machine = AuthServerMachine(processID: 42, connectionID: 7, cookie: "00ff")
        if greeted {
            _ = machine.take("VERSION\t1\t0", now: 0)
            _ = machine.take("CPID\t99", now: 0)
        }
        return machine
    }

    private let plain = "AGFsaWNlAHNlY3JldA=="  // NUL alice NUL secret
    private let postfix = "service=smtp\tnologin\tlip=192.0.2.9\trip=198.51.100.7\tsecured"

    @Test func theHandshakeNamesMechanismsBeforeSPID() {
        let lines = machine(greeted: false).start().map { action in if case .send(let line) = action { line } else { "?" } }
        #expect(lines == ["VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "MECH\tLOGIN\tplaintext", "MECH\tSCRAM-SHA-256\tmutual-auth",
                          "SPID\t42", "CUID\t7", "COOKIE\t00ff", "DONE"])
    }

    @Test func plainInOneStep() throws {
        var machine = machine()
        let asked = machine.take("AUTH\t1\tplain\t\(postfix)\tresp=\(plain)", now: 1)
        #expect(asked == [.ask(1, .password(Credentials(mechanism: "PLAIN", user: "alice", password: "secret"), client: IPAddress("198.51.100.7")))])
        #expect(machine.answer(1, .accepted("alice@home.example")) == [.send("OK\t1\tuser=alice@home.example")])
        #expect(machine.underWay.isEmpty)
        #expect(machine.answer(1, .accepted("bob")).isEmpty, "an answer that comes twice says nothing")
    }

    @Test func plainWithAChallenge() {
        var machine = machine()
        // Postfix reads past the TAB after the number: it must be there though the challenge is empty.
        #expect(machine.take("AUTH\t3\tPLAIN\t\(postfix)", now: 1) == [.send("CONT\t3\t")])
        #expect(machine.take("CONT\t3\t\(plain)", now: 1).count == 1)
        #expect(machine.answer(3, .refused).first == .send("FAIL\t3\tuser=alice"))
    }

    @Test func login() {
        var machine = machine()
        #expect(machine.take("AUTH\t1\tLOGIN\t\(postfix)", now: 1) == [.send("CONT\t1\tVXNlcm5hbWU6")])
        #expect(machine.take("CONT\t1\tYWxpY2U=", now: 1) == [.send("CONT\t1\tUGFzc3dvcmQ6")])
        #expect(machine.take("CONT\t1\tc2VjcmV0", now: 1)
            == [.ask(1, .password(Credentials(mechanism: "LOGIN", user: "alice", password: "secret"), client: IPAddress("198.51.100.7")))])
    }

    @Test func failuresNameTheClientToTheLogAndNothingToTheClient() {
        var machine = machine()
        _ = machine.take("AUTH\t1\tPLAIN\t\(postfix)\tresp=\(plain)", now: 1)
        #expect(machine.answer(1, .refused) == [
            .send("FAIL\t1\tuser=alice"), .logFailure(AuthFailure(client: "198.51.100.7", service: "smtp", mechanism: "PLAIN", reason: "wrong user or password")),
        ])
        _ = machine.take("AUTH\t2\tPLAIN\t\(postfix)\tresp=\(plain)", now: 1)
        let temporary = machine.answer(2, .unavailable("disk on fire"))
        #expect(temporary.first == .send("FAIL\t2\tuser=alice\ttemp\treason=Temporary authentication failure, try again later"))
    }

    @Test func passwordsNeedTLSOrThisMachine() {
        var machine = machine()
        let refused = machine.take("AUTH\t1\tPLAIN\tservice=smtp\tlip=192.0.2.9\trip=198.51.100.7\tresp=\(plain)", now: 1)
        guard case .send(let line)? = refused.first else { return #expect(Bool(false)) }
        #expect(line.hasPrefix("FAIL\t1\treason="))
        for address in ["rip=127.0.0.1", "rip=::1", "rip=192.0.2.9\tlip=192.0.2.9", ""] {
            #expect(self.asks(&machine, "AUTH\t2\tPLAIN\tservice=smtp\t\(address)\tresp=\(plain)"), "\(address)")
        }
    }

    private func asks(_ machine: inout AuthServerMachine, _ line: String) -> Bool {
        let actions = machine.take(line, now: 1)
        _ = machine.take("CANCEL\t2", now: 1)
        guard case .ask? = actions.first else { return false }
        return actions.count == 1
    }

    @Test func scramWithoutAndWithTheFinalResponseInOK() throws {
        let keys = try #require(SCRAMKeys.derive(from: "pencil", salt: [1, 2, 3, 4], iterations: 4096))
        for takesFinal in [false, true] {
            var machine = machine()
            let first = Base64.encode(Array("n,,n=user,r=abc".utf8))
            let asked = machine.take("AUTH\t1\tSCRAM-SHA-256\t\(postfix)\(takesFinal ? "\tfinal-resp-ok" : "")\tresp=\(first)", now: 1)
            #expect(asked == [.ask(1, .scramKeys(user: "user", client: IPAddress("198.51.100.7")))])
            guard case .send(let challenge)? = machine.answer(1, .keys(keys, account: "user")).first else { return #expect(Bool(false)) }
            let final = try #require(Self.clientFinal(challenge, "pencil"))
            let said = machine.take("CONT\t1\t\(Base64.encode(final))", now: 1)
            #expect(said.first == .noteProof(user: "user", client: IPAddress("198.51.100.7"), provenKey: keys.storedKey))
            guard case .send(let line)? = said.last, said.count == 2 else { return #expect(Bool(false)) }
            if takesFinal {
                #expect(line.hasPrefix("OK\t1\tuser=user\tresp="))
            } else {
                #expect(line.hasPrefix("CONT\t1\t"))
                #expect(machine.take("CONT\t1\t", now: 1) == [.send("OK\t1\tuser=user")])
            }
        }
    }

    @Test func anyOfAnAccountsPasswordsFits() throws {
        var keys = try #require(SCRAMKeys.derive(from: "pencil", salt: [1, 2, 3, 4], iterations: 4096))
        let other = try #require(SCRAMKeys.derive(from: "crayon", salt: [1, 2, 3, 4], iterations: 4096))
        keys.others = [other.pair]
        var machine = machine()
        _ = machine.take("AUTH\t1\tSCRAM-SHA-256\t\(postfix)\tfinal-resp-ok\tresp=\(Base64.encode(Array("n,,n=user,r=abc".utf8)))", now: 1)
        guard case .send(let challenge)? = machine.answer(1, .keys(keys, account: "user")).first else { return #expect(Bool(false)) }
        let said = machine.take("CONT\t1\t\(Base64.encode(try #require(Self.clientFinal(challenge, "crayon"))))", now: 1)
        #expect(said.first == .noteProof(user: "user", client: IPAddress("198.51.100.7"), provenKey: other.storedKey))
        guard case .send(let line)? = said.last else { return #expect(Bool(false)) }
        #expect(line.hasPrefix("OK\t1\tuser=user\tresp="))
    }

    @Test func scramIsOfferedOnlyWhereEverybodyHasKeys() {
        let machine = AuthServerMachine(processID: 1, connectionID: 2, cookie: "c")
        #expect(machine.start().contains(.send("MECH\tSCRAM-SHA-256\tmutual-auth")))
        #expect(!machine.start(offersSCRAM: false).contains { if case .send(let line) = $0 { line.contains("SCRAM") } else { false } })
    }

    @Test func aWrongProofCountsAsAGuess() throws {
        let keys = try #require(SCRAMKeys.derive(from: "pencil", salt: [1, 2, 3, 4], iterations: 4096))
        var machine = machine()
        _ = machine.take("AUTH\t1\tSCRAM-SHA-256\t\(postfix)\tresp=\(Base64.encode(Array("n,,n=user,r=abc".utf8)))", now: 1)
        guard case .send(let challenge)? = machine.answer(1, .keys(keys, account: "user")).first else { return #expect(Bool(false)) }
        let final = try #require(Self.clientFinal(challenge, "crayon"))
        let said = machine.take("CONT\t1\t\(Base64.encode(final))", now: 1)
        #expect(said.first == .noteProof(user: "user", client: IPAddress("198.51.100.7"), provenKey: nil))
        #expect(said.dropFirst().first == .send("FAIL\t1\tuser=user"))
    }

    /// RFC 5802 §3, from the client's side.
    static func clientFinal(_ challenge: String, _ password: String) -> [UInt8]? {
        guard let encoded = challenge.split(separator: "\t").last, let octets = Base64.decodeStrictly(Array(encoded.utf8)) else { return nil }
        let serverFirst = String(decoding: octets, as: UTF8.self)
        let parts = serverFirst.split(separator: ",").map { String($0.dropFirst(2)) }
        guard parts.count == 3, let salt = Base64.decodeStrictly(Array(parts[1].utf8)), let count = Int(parts[2]) else { return nil }
        let bare = "c=biws,r=\(parts[0])"
        return ClientProof.make(password, salt, count, "n=user,r=abc,\(serverFirst),\(bare)").map { Array("\(bare),p=\(Base64.encode($0))".utf8) }
    }

    @Test(arguments: ["AUTH\t1\tPLAIN", "CPID\t1", "VERSION\t2\t0", "VERSION\t1", "VERSION\tx\ty"]) func handshakesThatEndTheConnection(_ line: String) {
        var machine = machine(greeted: false)
        guard case .close? = machine.take(line, now: 0).first else { return #expect(Bool(false), "\(line) was taken") }
        #expect(machine.take("VERSION\t1\t1", now: 0).isEmpty)
    }

    @Test(arguments: ["AUTH", "AUTH\tx\tPLAIN", "AUTH\t-1\tPLAIN", "AUTH\t1", "CONT\t", "VERSION\t1\t1", "CPID\t1"]) func linesThatEndTheConnection(_ line: String) {
        var machine = machine()
        guard case .close? = machine.take(line, now: 0).first else { return #expect(Bool(false), "\(line) was taken") }
    }

    @Test func whatIsNotKnownIsPassedOver() {
        var machine = machine()
        #expect(machine.take("HELLO\tthere", now: 0).isEmpty)
        #expect(machine.take("AUTH\t1\tCRAM-MD5\tservice=smtp", now: 0) == [.send("FAIL\t1\treason=the mechanism is not offered")])
        #expect(machine.take("CONT\t9\tAAAA", now: 0).first.map { if case .send(let line) = $0 { line.hasPrefix("FAIL\t9\ttemp") } else { false } } == true)
        #expect(machine.take("AUTH\t4\tPLAIN\tsecured\tresp=%%%", now: 0).first == .send("FAIL\t4\treason=the response is malformed"))
    }

    @Test func bounds() {
        var machine = machine()
        guard case .close? = machine.take(Array(repeating: UInt8(65), count: AuthServerMachine.lineLimit + 1), now: 0).first else { return #expect(Bool(false)) }
        var busy = self.machine()
        for id in 1...AuthServerMachine.requestLimit { _ = busy.take("AUTH\t\(id)\tPLAIN\tsecured", now: id) }
        #expect(busy.underWay.count == AuthServerMachine.requestLimit)
        guard case .send(let line)? = busy.take("AUTH\t1000\tPLAIN\tsecured", now: 99).first else { return #expect(Bool(false)) }
        #expect(line.hasPrefix("FAIL\t1000\ttemp"))
        guard case .close? = busy.take("AUTH\t5\tPLAIN\tsecured", now: 99).first else { return #expect(Bool(false)) }
        var slow = self.machine()
        for id in 1...3 { _ = slow.take("AUTH\t\(id)\tPLAIN\tsecured", now: id) }
        #expect(slow.expire(before: 3).filter { if case .send = $0 { true } else { false } }.count == 2)
        #expect(slow.underWay == [3])
    }

    @Test func escapes() {
        #expect(TabEscape.decode("a\u{1}tb\u{1}1c\u{1}0d\u{1}le\u{1}xf\u{1}") == "a\tb\u{1}c\0d\nexf")
        let odd = "a\t\n\r\0\u{1}b"
        #expect(TabEscape.decode(Substring(TabEscape.encode(odd))) == odd)
        var machine = machine()
        _ = machine.take("AUTH\t1\tPLAIN\t\(postfix)\tresp=\(plain)", now: 1)
        #expect(machine.answer(1, .accepted("a\tb")) == [.send("OK\t1\tuser=a\u{1}tb")])
    }
}

extension AuthServerMachine {
    mutating func take(_ line: String, now: Int) -> [AuthAction] { take(Array(line.utf8), now: now) }
}

enum ClientProof {
    static func make(_ password: String, _ salt: [UInt8], _ iterations: Int, _ message: String) -> [UInt8]? {
        guard let salted = SCRAMDigest.saltedPassword(Array(password.utf8), salt: salt, iterations: iterations),
            let key = SCRAMDigest.hmac(salted, Array("Client Key".utf8)), let stored = SCRAMDigest.hash(key),
            let signature = SCRAMDigest.hmac(stored, Array(message.utf8)) else { return nil }
        return zip(key, signature).map { $0 ^ $1 }
    }
}
