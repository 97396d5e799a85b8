import Dispatch
@testable import DKIM
@testable import DMARC
import DNS
import InternetMessage
@testable import MTASTS
import NetworkAddress
@testable import SPF

/// What domains publish: SPF, DKIM, DMARC, MTA-STS.
enum RecordTargets {
    /// A record of the input's, evaluated; the other texts of the input are what other names publish.
    static let spf: FuzzTarget = { input in
        let texts = Choices(input).texts()
        guard let first = texts.first else { return }
        if SPFRecord.isRecord(Array(first)) { _ = try? SPFRecord(Array(first)) }
        let resolver = ScriptedResolver(texts.map { Array($0) })
        let limits = SPFLimits()
        let result = waiting { await SPFEvaluator(resolver: resolver, limits: limits, receiverName: "mx.example", now: { 1_700_000_000 })
            .checkHost(client: IPAddress("192.0.2.1") ?? .init(octets: [192, 0, 2, 1])!, domain: "a.example", localPart: "user", helo: "h.example", identity: .mailfrom) }
        expect(result.reason.utf8.allSatisfy { (32...126).contains($0) }, "an unprintable reason: \(result.reason.debugDescription)")
        expect((result.explanation ?? "").utf8.allSatisfy { (32...126).contains($0) }, "an unprintable explanation: \((result.explanation ?? "").debugDescription)")
        expect(resolver.count <= 130, "\(resolver.count) questions for one message")
    }

    static let macro: FuzzTarget = { input in
        var choices = Choices(input)
        let kind = choices.octet()
        let uses: [MacroString.Use] = [.domainSpec, .unknownModifier, .explanation]
        let texts = choices.texts().map { String(decoding: $0, as: UTF8.self) }
        guard let text = texts.first, let macro = try? MacroString(text, for: uses[Int(kind % 3)]), let domain = DomainName("d.example"),
            let client = IPAddress(kind & 8 == 0 ? "192.0.2.1" : "2001:db8::cb01") else { return }
        let sender = SPFSender(localPart: texts.count > 1 ? texts[1] : "strong-bad", domainText: "email.example.com")
        let values = MacroValues(client: client, sender: sender, helo: texts.last ?? "", receiver: "mx", time: 1)
        let out = macro.expand(values, domain: domain, validatedName: "unknown")
        // A macro of two characters stands for one value at the most; no text may grow beyond all of them.
        expect(out.utf8.count <= (text.utf8.count + 1) * (256 + 3 * input.count), "\(out.utf8.count) octets of \(text.utf8.count)")
    }

    static let dkim: FuzzTarget = { input in
        if let tags = try? TagList(parsing: input) { _ = try? SignatureTags(tags, now: 1_700_000_000, drift: 300) }
        if let key = try? DKIMKeyRecord(parsing: input) { expect(key.publicKey.isEmpty || key.keyBits > 0, "a key of \(key.keyBits) bits") }
        if let key = RSAPublicKeyInfo(der: input), let again = RSAPublicKeyInfo(der: key.subjectPublicKeyInfo) { expect(again == key, "the key reads otherwise") }
    }

    /// A whole message through libopendkim, its keys all the same good one.
    static let signedMessage: FuzzTarget = { input in
        guard let verifier else { return }
        let results = waiting { await verifier.verify(Message(parsing: input)) }
        // Nothing in a corpus is signed by the key's owner, so nothing may pass.
        expect(!results.contains { $0.verdict == .pass }, "a forged signature passed: \(results)")
    }

    private static let verifier = try? DKIMVerifier(resolver: KeyResolver(), now: { 1_700_000_000 })

    static let dmarc: FuzzTarget = { input in
        if let record = DMARCRecord(input) {
            expect(record.text.utf8.allSatisfy { (32...126).contains($0) }, "an unprintable record")
            expect((record.rua + record.ruf).allSatisfy { !$0.isEmpty && !$0.utf8.contains { $0 <= 32 } }, "a report address \(record.rua) \(record.ruf)")
            if record.defect != nil { expect(record.p == .none, "a defective record asks for \(record.p)") }
        }
        _ = FromDomains(Message(parsing: input).header.fields)
    }

    static let mtaSTS: FuzzTarget = { input in
        let text = String(decoding: input, as: UTF8.self)
        if let policy = try? STSPolicy(text), let host = DomainName("mail.example") {
            expect((0...STSPolicy.longestAge).contains(policy.maxAge), "max_age \(policy.maxAge)")
            expect(policy.mx.allSatisfy { !$0.utf8.contains { $0 <= 32 || $0 > 126 } }, "mx \(policy.mx)")
            _ = policy.allows(host)
        }
        let records = Choices(input).texts().compactMap { TXTRecord(rdata: TXT.rdata(Array($0))) }
        _ = STSRecord(records)
    }
}

enum TXT {
    static func rdata(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [], rest = text[...]
        repeat {
            let piece = rest.prefix(255)
            out += [UInt8(piece.count)] + piece
            rest = rest.dropFirst(255)
        } while !rest.isEmpty
        return out
    }
}

/// Answers TXT questions with the input's texts in turn, and every other with what the number of the question chooses.
final class ScriptedResolver: Resolver, @unchecked Sendable {
    // Only the one task of a run asks, one question after the other.
    private let texts: [[UInt8]]
    private(set) var count = 0

    init(_ texts: [[UInt8]]) { self.texts = texts }

    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        defer { count += 1 }
        if question.type == .txt { return count < texts.count ? DNSResponse(.records([TXT.rdata(texts[count])])) : DNSResponse(.nameError) }
        switch (count, question.type) {
        case (_, .a): return DNSResponse(count % 3 == 0 ? .noData : .records([[192, 0, 2, 1], [192, 0, 2, UInt8(truncatingIfNeeded: count)]]))
        case (_, .aaaa): return DNSResponse(.noData)
        case (_, .mx): return DNSResponse(.records([[0, 10] + WireName.encode(question.name), [0, 20] + WireName.encode(question.name)]))
        case (_, .ptr): return DNSResponse(.records([WireName.encode(question.name)]))
        default: return DNSResponse(.temporaryFailure("none"))
        }
    }
}

/// One Ed25519 key for every name (RFC 8463 Appendix A.2).
struct KeyResolver: Resolver {
    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        DNSResponse(.records([TXT.rdata(Array("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".utf8))]))
    }
}

/// Runs async work to its end from libFuzzer's thread.
func waiting<T: Sendable>(_ work: @escaping @Sendable () async -> T) -> T {
    let box = ResultBox<T>(), done = DispatchSemaphore(value: 0)
    Task {
        box.value = await work()
        done.signal()
    }
    done.wait()
    guard let value = box.value else { fatalError("no result") }
    return value
}

/// Written before the semaphore is signalled, read after it was waited for.
private final class ResultBox<T>: @unchecked Sendable { var value: T? }
