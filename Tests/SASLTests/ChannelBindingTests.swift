import InternetMessage
import Testing
@testable import SASL

/// SCRAM-SHA-256-PLUS: RFC 5802 §6, RFC 7677, RFC 9266.
@Suite struct ChannelBindingTests {
    static let bindings: [String: [UInt8]] = ["tls-exporter": Array(repeating: 7, count: 32), "tls-server-end-point": Array(repeating: 9, count: 32)]

    /// A client that binds to whatever it is told.
    struct Peer {
        let header: String
        var binding: [UInt8] = []
        var password = "pencil"
        let bare = "n=user,r=clientnonce"
        var first: [UInt8] { Array((header + bare).utf8) }

        func final(_ challenge: [UInt8]) throws -> [UInt8] {
            let text = String(decoding: challenge, as: UTF8.self)
            let parts = text.split(separator: ",").map { String($0.dropFirst(2)) }
            let salt = try #require(Base64.decodeStrictly(Array(parts[1].utf8))), rounds = try #require(Int(parts[2]))
            let salted = try #require(SCRAMDigest.saltedPassword(Array(password.utf8), salt: salt, iterations: rounds))
            let key = try #require(SCRAMDigest.hmac(salted, Array("Client Key".utf8))), stored = try #require(SCRAMDigest.hash(key))
            let bare = "c=\(Base64.encode(Array(header.utf8) + binding)),r=\(parts[0])"
            let signature = try #require(SCRAMDigest.hmac(stored, Array("\(self.bare),\(text),\(bare)".utf8)))
            return Array("\(bare),p=\(Base64.encode(zip(key, signature).map { $0 ^ $1 }))".utf8)
        }
    }

    private static func keys() throws -> SCRAMKeys {
        try #require(SCRAMKeys.derive(from: "pencil", salt: Array("saltsaltsaltsalt".utf8), iterations: 4096))
    }

    /// - Returns: whether the server's proof came.
    private func run(_ peer: Peer, mustBind: Bool, _ bindings: [String: [UInt8]] = bindings) throws -> Bool {
        var exchange = SCRAMExchange(bindings: bindings, mustBind: mustBind)
        #expect(try exchange.clientFirst(peer.first) == "user")
        let challenge = try exchange.serverFirst(Self.keys())
        return try exchange.clientFinal(peer.final(challenge)).starts(with: Array("v=".utf8))
    }

    @Test(arguments: ["tls-exporter", "tls-server-end-point"]) func boundLogIns(_ name: String) throws {
        #expect(try run(Peer(header: "p=\(name),,", binding: Self.bindings[name] ?? []), mustBind: true))
    }

    /// Somebody in between has another connection with us than the client has with him.
    @Test func anotherConnectionsBinding() throws {
        #expect(throws: SCRAMExchange.Failure.channelBinding) { try run(Peer(header: "p=tls-exporter,,", binding: Array(repeating: 8, count: 32)), mustBind: true) }
        #expect(throws: SCRAMExchange.Failure.channelBinding) { try run(Peer(header: "p=tls-exporter,,"), mustBind: true) }
    }

    @Test func whatDoesNotBind() throws {
        // A binding type that we do not have; a -PLUS without a binding; a binding without -PLUS.
        for (header, mustBind) in [("p=tls-unique,,", true), ("n,,", true), ("y,,", true), ("p=tls-exporter,,", false)] {
            var exchange = SCRAMExchange(bindings: Self.bindings, mustBind: mustBind)
            #expect(throws: SCRAMExchange.Failure.channelBinding) { try exchange.clientFirst(Peer(header: header).first) }
        }
    }

    /// RFC 5802 §6: `y` where -PLUS is on offer means that somebody hid it from the client.
    @Test func aDowngradeIsRefused() throws {
        var exchange = SCRAMExchange(bindings: Self.bindings)
        #expect(throws: SCRAMExchange.Failure.downgrade) { try exchange.clientFirst(Peer(header: "y,,").first) }
        #expect(try run(Peer(header: "y,,"), mustBind: false, [:]))
        #expect(try run(Peer(header: "n,,"), mustBind: false))
    }

    @Test func mechanismsOnOffer() {
        #expect(SASLExchange.mechanisms(offersSCRAM: true, bindings: Self.bindings) == ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
        #expect(SASLExchange.mechanisms(offersSCRAM: true, bindings: [:]) == ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
        #expect(SASLExchange.mechanisms(offersSCRAM: false, bindings: Self.bindings) == ["PLAIN", "LOGIN"])
        #expect(SASLExchange(mechanism: "SCRAM-SHA-256-PLUS") == nil)
    }

    /// The whole conversation as IMAP and SMTP carry it.
    @Test func lineByLine() throws {
        let peer = Peer(header: "p=tls-exporter,,", binding: Self.bindings["tls-exporter"] ?? [])
        var exchange = try #require(SASLExchange(mechanism: "SCRAM-SHA-256-PLUS", bindings: Self.bindings))
        #expect(exchange.begin(nil) == .challenge(""))
        #expect(exchange.take(Array(Base64.encode(peer.first).utf8)) == .needsKeys(user: "user"))
        guard case .challenge(let challenge) = exchange.answer(try Self.keys()) else { throw Unexpected() }
        let final = try peer.final(try #require(Base64.decodeStrictly(Array(challenge.utf8))))
        guard case .challenge(let proof) = exchange.take(Array(Base64.encode(final).utf8)) else { throw Unexpected() }
        #expect(proof.hasPrefix("dj"))
        var insolent = exchange
        #expect(insolent.take(Array("AAAA".utf8)) == .malformed)
        #expect(exchange.take([]) == .proved(user: "user", key: try Self.keys().storedKey))
    }

    @Test func aWrongPassword() throws {
        var exchange = try #require(SASLExchange(mechanism: "SCRAM-SHA-256"))
        var peer = Peer(header: "n,,")
        peer.password = "wrong"
        #expect(exchange.begin(Array(Base64.encode(peer.first).utf8)) == .needsKeys(user: "user"))
        guard case .challenge(let challenge) = exchange.answer(try Self.keys()) else { throw Unexpected() }
        let final = try peer.final(try #require(Base64.decodeStrictly(Array(challenge.utf8))))
        #expect(exchange.take(Array(Base64.encode(final).utf8)) == .refused(.wrongProof, user: "user"))
    }

    struct Unexpected: Error {}
}
