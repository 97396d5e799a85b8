@testable import Control
@testable import DovecotAuth
import Foundation
import InternetMessage
@testable import SASL

/// Logging in: SASL, Dovecot's protocol, and our own control socket.
enum LogInTargets {
    /// No credentials come of anything but the right form, and none hold a NUL.
    static let sasl: FuzzTarget = { input in
        var choices = Choices(input)
        let kind = choices.octet()
        let lines = choices.texts().map { Array($0) }
        if kind & 1 == 0 { password(lines, kind & 2 == 0 ? "PLAIN" : "LOGIN", hasInitial: kind & 4 != 0) } else { scram(lines) }
        var client = SCRAMClient(user: "user", password: "pass", nonce: "rOprNGfwEbeRWgbNEkqO")
        // The rounds are what takes the time, on purpose.
        guard let challenge = lines.first, !challenge.contains(where: { (48...57).contains($0) }) || challenge.count < 60 else { return }
        client.challenge = challenge
        let (proved, proof) = client.proved()
        if proof != nil, lines.count > 1 { expect(!proved.accepts(lines[1]), "a server that knows no key was believed") }
    }

    private static func password(_ lines: [[UInt8]], _ mechanism: String, hasInitial: Bool) {
        guard var exchange = SASLExchange(mechanism: mechanism) else { return }
        var step = exchange.begin(hasInitial ? lines.first : nil)
        for line in lines.dropFirst(hasInitial ? 1 : 0) {
            guard case .challenge = step else { break }
            step = exchange.take(line)
        }
        if case .finished(let credentials) = step {
            expect(!credentials.user.isEmpty && !credentials.user.contains("\0") && !credentials.password.contains("\0"), "\(credentials.user.debugDescription)")
        }
    }

    private static let keys = SCRAMKeys.derive(from: "pencil", salt: Array("salt".utf8), iterations: 4096)

    private static func scram(_ lines: [[UInt8]]) {
        guard let keys, let first = lines.first else { return }
        var exchange = SCRAMExchange(serverNonce: "server")
        guard let user = try? exchange.clientFirst(first) else { return }
        expect(!user.isEmpty && !user.contains("\0"), "\(user.debugDescription)")
        guard let challenge = try? exchange.serverFirst(keys) else { return expect(false, "no challenge to \(first)") }
        expect(!challenge.contains { $0 < 32 || $0 > 126 }, "\(challenge)")
        if lines.count > 1 { expect((try? exchange.clientFinal(lines[1])) == nil, "a proof was forged: \(lines)") }
    }

    /// Lines in, lines out: one LF each, and the state stays bounded.
    static let dovecot: FuzzTarget = { input in
        var machine = AuthServerMachine(processID: 1, connectionID: 1, cookie: String(repeating: "a", count: 32))
        run(machine.start(), &machine)
        for (now, line) in input.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            run(machine.take(line, now: now), &machine)
            expect(machine.underWay.count <= AuthServerMachine.requestLimit, "\(machine.underWay.count) requests")
        }
        run(machine.expire(before: .max), &machine)
        expect(machine.underWay.isEmpty, "requests outlive their time: \(machine.underWay)")
    }

    private static func run(_ actions: [AuthAction], _ machine: inout AuthServerMachine) {
        for action in actions {
            switch action {
            case .send(let line): expect(!line.unicodeScalars.contains { $0 == "\n" || $0 == "\r" || $0 == "\0" }, "two lines: \(line.debugDescription)")
            case .ask(let id, .password(let credentials, _)):
                // No account is named so; the answer bears the name that the client gave.
                run(machine.answer(id, credentials.password == "good" ? .accepted(credentials.user) : .refused), &machine)
            case .ask(let id, .scramKeys(let user, _)):
                run(machine.answer(id, keys.map { .keys($0, account: user.isEmpty ? nil : user) } ?? .unavailable("none")), &machine)
            case .noteProof, .logFailure, .close: break
            }
        }
    }

    static let control: FuzzTarget = { input in
        guard let request = try? ControlRequest(line: Data(input)) else { return }
        _ = try? request.decode([String: String].self)
    }
}
