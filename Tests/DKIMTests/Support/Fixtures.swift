import DNS
import Foundation
import InternetMessage
import NetworkAddress
@testable import DKIM

/// A fixed time that all tests live in.
let testTime = 1_700_000_000

/// Keys made once for all tests.
enum TestKeys {
    static let ed25519: SigningKey = make(.ed25519, "ed")
    static let rsa: SigningKey = make(.rsa2048, "rsa")

    static func make(_ kind: SigningKey.Kind, _ selector: String, _ domain: String = "example.org") -> SigningKey {
        do {
            return try SigningKey(pem: SigningKey.generate(kind), domain: name(domain), selector: selector)
        } catch { preconditionFailure("no test key: \(error)") }
    }

    /// The answers for both keys.
    static var zone: [String: LiteralResolver.Answer] {
        ["ed._domainkey.example.org": .txt([ed25519.publicRecord]), "rsa._domainkey.example.org": .txt([rsa.publicRecord])]
    }
}

func name(_ text: String) -> DomainName { DomainName(text) ?? DomainName("invalid").unsafelyUnwrapped }

func message(_ text: String) -> Message { Message(parsing: Array(text.utf8)) }

let plainText = "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: Lunch\r\n"
    + "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello Bob,\r\n\r\nlunch at  one?\r\n"

func verifier(_ answers: [String: LiteralResolver.Answer] = TestKeys.zone, limits: DKIMLimits = .init(), now: Int = testTime) throws -> DKIMVerifier {
    try DKIMVerifier(resolver: LiteralResolver(answers), limits: limits, now: { now })
}

extension Message {
    /// The message with fields put on top, the first given uppermost.
    func adding(_ fields: [HeaderField]) -> Message {
        Message(header: MessageHeader(fields + header.fields), body: body)
    }
}

/// Signs with whatever tags a test wants, right or wrong: relaxed/relaxed, hashed and signed as the standard says.
struct Forge {
    /// Tag list without b=, as `v=1; a=…; bh=…`. `%BH` stands for the hash of the message's body.
    var tags = Forge.good
    var key: PrivateKey = TestKeys.ed25519.privateKey
    /// The fields that h= names, in its order.
    var signed = ["from", "subject"]

    static let good = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=ed; h=from:subject; bh=%BH"

    func sign(_ message: Message) throws -> Message {
        let hash = Base64.encode(try DKIMSigner.bodyHash(message.body))
        let text = "DKIM-Signature: " + tags.replacingOccurrences(of: "%BH", with: hash) + "; b="
        var digest = try SHA256Digest()
        for name in signed {
            for field in message.header.all(name).suffix(1) { digest.update(RelaxedHeader.canonicalize(field) + [13, 10]) }
        }
        let field = HeaderField(bytes: text.utf8)
        if let field { digest.update(RelaxedHeader.canonicalize(field)) }
        let signature = Base64.encode(try key.sign(digest: try digest.finish()))
        return message.adding([HeaderField(bytes: (text + signature).utf8)].compactMap { $0 })
    }

    /// The good tags with one replaced, or with one more.
    static func with(_ tag: String, _ value: String?) -> Forge {
        var parts = good.components(separatedBy: "; ").filter { !$0.hasPrefix(tag + "=") }
        if let value { parts.append("\(tag)=\(value)") }
        return Forge(tags: parts.joined(separator: "; "))
    }
}

/// Deterministic random numbers (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
