import InternetMessage
import Testing
@testable import SASL

@Suite struct SCRAMTests {
    /// RFC 7677 §3's example.
    static let serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    static let clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    static let clientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

    private var keys: SCRAMKeys {
        get throws {
            let salt = try #require(Base64.decodeStrictly(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)))
            return try #require(SCRAMKeys.derive(from: "pencil", salt: salt, iterations: 4096))
        }
    }

    @Test func theStandardsExample() throws {
        var exchange = SCRAMExchange(serverNonce: Self.serverNonce)
        #expect(try exchange.clientFirst(Array(Self.clientFirst.utf8)) == "user")
        let first = try exchange.serverFirst(keys)
        #expect(String(decoding: first, as: UTF8.self) == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        let final = try exchange.clientFinal(Array(Self.clientFinal.utf8))
        #expect(String(decoding: final, as: UTF8.self) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    }

    @Test func aWrongPasswordIsRefused() throws {
        var exchange = SCRAMExchange(serverNonce: Self.serverNonce)
        _ = try exchange.clientFirst(Array(Self.clientFirst.utf8))
        let salt = try keys.salt
        let other = try #require(SCRAMKeys.derive(from: "Pencil", salt: salt, iterations: 4096))
        _ = try exchange.serverFirst(other)
        #expect(throws: SCRAMExchange.Failure.wrongProof) { try exchange.clientFinal(Array(Self.clientFinal.utf8)) }
        #expect(throws: SCRAMExchange.Failure.outOfTurn) { try exchange.clientFinal(Array(Self.clientFinal.utf8)) }
    }

    @Test func nothingFitsADecoy() throws {
        let secret = [UInt8](repeating: 7, count: 32)
        let decoy = SCRAMKeys.decoy(for: "nobody", secret: secret, iterations: 4096)
        #expect(decoy == SCRAMKeys.decoy(for: "nobody", secret: secret, iterations: 4096))
        #expect(decoy.salt != SCRAMKeys.decoy(for: "somebody", secret: secret, iterations: 4096).salt)
        var exchange = SCRAMExchange(serverNonce: Self.serverNonce)
        _ = try exchange.clientFirst(Array(Self.clientFirst.utf8))
        _ = try exchange.serverFirst(decoy)
        #expect(throws: SCRAMExchange.Failure.wrongProof) { try exchange.clientFinal(Array(Self.clientFinal.utf8)) }
    }

    @Test(arguments: [
        ("", SCRAMExchange.Failure.malformed), ("n,,", .malformed), ("n,,n=user", .malformed), ("n,,n=,r=x", .malformed),
        ("p=tls-unique,,n=user,r=x", .channelBinding), ("n,a=other,n=user,r=x", .otherAuthorizationIdentity),
        ("n,,m=1,n=user,r=x", .malformed), ("n,,n=us=er,r=x", .malformed), ("n,,n=user,r=", .malformed), ("q,,n=user,r=x", .malformed),
        ("n,,n=us\u{0}er,r=x", .malformed),
    ])
    func firstMessagesThatAreRefused(_ message: String, _ failure: SCRAMExchange.Failure) {
        var exchange = SCRAMExchange()
        #expect(throws: failure) { try exchange.clientFirst(Array(message.utf8)) }
    }

    @Test func namesAreDecoded() throws {
        var exchange = SCRAMExchange()
        #expect(try exchange.clientFirst(Array("y,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=x,t=later".utf8)) == "a,b=c")
    }

    /// §5.1: c= must repeat the header, r= must be both nonces.
    @Test(arguments: [
        ("c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", SCRAMExchange.Failure.channelBinding),
        ("c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", .wrongProof),
        ("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=AAAA", .wrongProof),
        ("c=biws,r=x", .malformed), ("", .malformed),
    ])
    func finalMessagesThatAreRefused(_ message: String, _ failure: SCRAMExchange.Failure) throws {
        var exchange = SCRAMExchange(serverNonce: Self.serverNonce)
        _ = try exchange.clientFirst(Array(Self.clientFirst.utf8))
        _ = try exchange.serverFirst(keys)
        #expect(throws: failure) { try exchange.clientFinal(Array(message.utf8)) }
    }

    @Test func theStoredTextComesBack() throws {
        let keys = try keys
        #expect(SCRAMKeys(keys.text) == keys)
        #expect(keys.text.hasPrefix("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"))
        for bad in ["", "SCRAM-SHA-256$", "SCRAM-SHA-1$4096:AA==$AA==:AA==", "SCRAM-SHA-256$0:AA==$AA==:AA==", "SCRAM-SHA-256$4096:AA==$AA==:AA=="] {
            #expect(SCRAMKeys(bad) == nil)
        }
    }
}
