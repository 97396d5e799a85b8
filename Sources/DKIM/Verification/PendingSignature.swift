import InternetMessage
import NetworkAddress

/// A DKIM-Signature field on its way to a result.
struct PendingSignature {
    let fieldIndex: Int
    /// Too large, ambiguous or one too many: libopendkim must not see it.
    let isSkipped: Bool
    let list: TagList?
    /// Nil once refused by its own text.
    private(set) var tags: SignatureTags?
    private var refusal: SignatureRefusal?
    private var key: DKIMKeyRecord?
    private var keyText: String?
    var outcome: VerificationRun.Outcome?

    init(_ field: HeaderField, at index: Int, ordinal: Int, now: Int, limits: DKIMLimits) {
        fieldIndex = index
        let isLarge = field.bytes.count > limits.maxSignatureOctets
        let isClear = field.isUnambiguous
        isSkipped = isLarge || !isClear || ordinal >= limits.maxSignatures
        guard !isLarge, isClear else {
            list = nil
            refusal = isLarge ? .policy("the signature field is larger than \(limits.maxSignatureOctets) octets")
                : .neutral("the signature field has a NUL, a stray CR or a tab before its colon (RFC 5322 §2.2)")
            return
        }
        do {
            list = try TagList(parsing: field.rawValue)
        } catch {
            list = nil
            refusal = .neutral(error.description)
            return
        }
        guard ordinal < limits.maxSignatures else {
            refusal = .policy("more than \(limits.maxSignatures) signatures: this one was not verified (RFC 6376 §6.1)")
            return
        }
        guard let list else { return }
        do { tags = try SignatureTags(list, now: now, drift: limits.clockDrift) } catch { refusal = error }
        if let names = tags?.signedFields.count, names > limits.maxSignedNames { refuse(.policy("h= has \(names) names, more than \(limits.maxSignedNames)")) }
    }

    /// Refuses what has not been refused yet.
    mutating func refuse(_ reason: SignatureRefusal) {
        if refusal == nil { refusal = reason }
        tags = nil
    }

    /// Takes the key, if the DNS has one that fits this signature (RFC 6376 §6.1.2).
    mutating func take(_ answers: [DomainName: KeyAnswer], _ limits: DKIMLimits) {
        guard let tags else { return }
        switch answers[tags.keyName] {
        case nil: refusal = .temperror("the key at \(tags.keyName) did not come in time (RFC 6376 §6.1.2)")
        case .refused(let why, let text): (refusal, keyText) = (why, text)
        case .record(let record, let text):
            (key, keyText) = (record, text)
            refusal = Self.objection(record, tags, limits)
        }
    }

    /// §6.1.2's numbered checks.
    private static func objection(_ key: DKIMKeyRecord, _ tags: SignatureTags, _ limits: DKIMLimits) -> SignatureRefusal? {
        if key.isRevoked { return .permerror("the key is revoked: p= is empty (RFC 6376 §6.1.2)") }
        if key.keyType != tags.algorithm.keyType {
            return .permerror("the key is for \(key.keyType.rawValue), the signature is \(tags.algorithm.rawValue) (RFC 6376 §6.1.2)")
        }
        if !key.allowsSHA256 { return .permerror("the key's h= does not allow sha256 (RFC 6376 §6.1.2)") }
        if !key.isForEmail { return .permerror("the key's s= does not allow email (RFC 6376 §3.6.1)") }
        if key.forbidsSubdomains, tags.identityDomain != tags.domain {
            return .permerror("the key's t=s forbids i= in a subdomain (RFC 6376 §3.6.1)")
        }
        if key.keyType == .rsa, key.keyBits < limits.minRSABits {
            return .policy("the key has \(key.keyBits) bits, less than \(limits.minRSABits) (RFC 8301 §3.2)")
        }
        if Self.libraryRecordCount(key) >= KeysInMemory.bufferSize {
            return .policy("the key has \(key.keyBits) bits, more than can be verified (RFC 8301 §3.2 demands 4096)")
        }
        return nil
    }

    /// Octets of ``libraryRecord(_:)``, without making it.
    private static func libraryRecordCount(_ key: DKIMKeyRecord) -> Int {
        "v=DKIM1;k=;p=".utf8.count + key.keyType.rawValue.utf8.count + (key.publicKey.count + 2) / 3 * 4
    }

    /// The key in the form libopendkim is given: what the record's other tags say has been judged here.
    private static func libraryRecord(_ key: DKIMKeyRecord) -> [UInt8] {
        Array("v=DKIM1;k=\(key.keyType.rawValue);p=\(Base64.encode(key.publicKey))".utf8)
    }

    /// Nil unless the signature is to be verified.
    var libraryKey: [UInt8]? { refusal == nil ? key.map(Self.libraryRecord) : nil }

    func result(prefix: String?) -> DKIMSignatureResult {
        let domain = list?.compact("d").flatMap { DomainName($0) }.flatMap { $0.isRoot ? nil : $0 }
        let verdict = refusal?.verdict ?? outcome?.verdict ?? .neutral
        return DKIMSignatureResult(
            verdict: verdict,
            reason: Self.printable(refusal?.reason ?? outcome?.reason ?? "not verified"),
            domain: domain,
            selector: list?.compact("s"),
            algorithm: list?.compact("a"),
            identity: list?["i"].map(QuotedPrintable.decode) ?? domain.map { "@\($0.text)" },
            signaturePrefix: prefix,
            isTesting: key?.isTesting ?? false,
            coversWholeBody: outcome?.coversWholeBody ?? false,
            signsFrom: list?.items("h")?.contains { $0.lowercased() == "from" } ?? false,
            keyBits: key.flatMap { $0.isRevoked ? nil : $0.keyBits },
            keyRecord: keyText.map(Self.printable),
            signedAt: list?["t"].flatMap { Int($0) },
            expiresAt: list?["x"].flatMap { Int($0) })
    }
}

extension PendingSignature {
    /// What strangers wrote, fit for one line of a header or log.
    private static func printable(_ text: String) -> String {
        // Key records and reasons are US-ASCII but for what a stranger put there: the slow question only then.
        if text.utf8.allSatisfy({ (32...126).contains($0) }) { return text }
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}

/// How much of b= Authentication-Results shows: 8 characters, more where two signatures begin alike (RFC 6008 §4).
enum SignaturePrefix {
    static func prefixes(of signatures: [String]) -> [String?] {
        if signatures.count == 1 { return signatures.map { $0.isEmpty ? nil : String($0.prefix(8)) } }
        let texts = signatures.map { Array($0.utf8) }
        // In sorted order the text that shares most with another is its neighbour, so thousands cost little.
        let sorted = Set(texts).sorted { $0.lexicographicallyPrecedes($1) }
        var lengths: [[UInt8]: Int] = [:]
        for (index, text) in sorted.enumerated() {
            let before = index > 0 ? common(text, sorted[index - 1]) : 0
            let after = index + 1 < sorted.count ? common(text, sorted[index + 1]) : 0
            lengths[text] = min(max(8, max(before, after) + 1), text.count)
        }
        return texts.map { $0.isEmpty ? nil : String(decoding: $0.prefix(lengths[$0] ?? 8), as: UTF8.self) }
    }

    private static func common(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).prefix { $0 == $1 }.count }
}
