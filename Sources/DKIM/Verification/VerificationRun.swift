import COpenDKIM
import InternetMessage

/// One message through libopendkim, from first field to end of message, on one thread without a pause.
///
/// The keys are there already, so no handle lives across an `await`.
struct VerificationRun {
    /// A signature worth verifying: its place among the DKIM-Signature fields that are fed, and its key record.
    struct Candidate {
        let position: Int
        let tags: SignatureTags
        let keyRecord: [UInt8]
    }

    struct Outcome {
        let verdict: DKIMSignatureResult.Verdict
        let reason: String
        let coversWholeBody: Bool
    }

    private let dkim: OpaquePointer
    private let keys = KeysInMemory()
    /// Names of fields that libopendkim did not get to see or refused, lower case.
    private var unread: Set<String> = []
    /// How many signatures libopendkim's list must have for positions to mean the same fields.
    private var fedSignatures = 0

    /// Blocks for as long as hashing the message takes.
    /// - Parameters:
    ///   - skipped: indices of fields that must not be fed: huge, surplus or ambiguous signatures.
    /// - Returns: an outcome for each candidate, in their order.
    static func verify(_ message: Message, candidates: [Candidate], skipping skipped: Set<Int>, with library: OpenDKIMLibrary) -> [Outcome] {
        var status: DKIM_STAT = 0
        guard let dkim = dkim_verify(library.handle, StaticString("postern").utf8Start, nil, &status) else {
            return candidates.map { _ in failed("libopendkim has no memory", .temperror) }
        }
        defer { dkim_free(dkim) }
        var run = VerificationRun(dkim: dkim)
        return run.outcomes(message, candidates, skipped)
    }

    private init(dkim: OpaquePointer) {
        self.dkim = dkim
        dkim_set_margin(dkim, 0)
        dkim_set_user_context(dkim, Unmanaged.passUnretained(keys).toOpaque())
    }

    private mutating func outcomes(_ message: Message, _ candidates: [Candidate], _ skipped: Set<Int>) -> [Outcome] {
        // The context is an unretained pointer: `keys` must outlive the last call that may use it.
        withExtendedLifetime(keys) { () -> [Outcome] in
            feedHeader(message.header, skipped)
            let status = dkim_eoh(dkim)
            guard status == DKIM_STAT_OK, let signatures = signatureList(), signatures.count == fedSignatures else {
                return candidates.map { _ in Self.failed("the header cannot be processed: \(Self.text(status))", .neutral) }
            }
            let usable = prepare(candidates, signatures)
            if usable.allSatisfy({ $0 != nil }) { return usable.compactMap { $0 } }
            do { try feedBody(message.body) } catch {
                return candidates.map { _ in Self.failed("the body cannot be read: \(error)", .temperror) }
            }
            _ = postern_dkim_eom_with_known_keys(dkim)
            return zip(candidates, usable).map { candidate, refused in refused ?? outcome(signatures[candidate.position], candidate.tags) }
        }
    }

    private mutating func feedHeader(_ header: MessageHeader, _ skipped: Set<Int>) {
        for (index, field) in header.fields.enumerated() {
            // libopendkim declares the buffer mutable, and copies it before anything else.
            let isFed = !skipped.contains(index) && field.isUnambiguous && field.bytes.withUnsafeBufferPointer {
                dkim_header(dkim, UnsafeMutablePointer(mutating: $0.baseAddress), $0.count) == DKIM_STAT_OK
            }
            // A DKIM-Signature that is SYNTAX to libopendkim is in its list and hashed like any other field.
            let isListed = field.isNamed("DKIM-Signature") && !skipped.contains(index)
            if isListed { fedSignatures += 1 }
            if !isFed, !isListed { unread.insert(field.name.lowercased()) }
        }
    }

    private func signatureList() -> UnsafeMutableBufferPointer<OpaquePointer?>? {
        var list: UnsafeMutablePointer<OpaquePointer?>?
        var count: Int32 = 0
        guard dkim_getsiglist(dkim, &list, &count) == DKIM_STAT_OK, let list, count > 0 else { return nil }
        return UnsafeMutableBufferPointer(start: list, count: Int(count))
    }

    /// Hands out the keys, and has every signature that is no candidate ignored.
    /// - Returns: an outcome for each candidate that cannot go on, nil for the others.
    private func prepare(_ candidates: [Candidate], _ signatures: UnsafeMutableBufferPointer<OpaquePointer?>) -> [Outcome?] {
        var wanted: Set<Int> = []
        let refusals: [Outcome?] = candidates.map { candidate in
            guard candidate.position < signatures.count, let signature = signatures[candidate.position],
                Self.isSame(dkim_sig_getdomain(signature), candidate.tags.domain.text),
                Self.isSame(dkim_sig_getselector(signature), candidate.tags.selector) else {
                return Self.failed("libopendkim reads the field otherwise", .neutral)
            }
            if let name = candidate.tags.signedFields.first(where: unread.contains) {
                return Self.failed("a signed field (\(name)) is too large, malformed or one too many to be verified", .neutral)
            }
            wanted.insert(candidate.position)
            keys.records[signature] = candidate.keyRecord
            return nil
        }
        for (position, signature) in signatures.enumerated() where !wanted.contains(position) { dkim_sig_ignore(signature) }
        return refusals
    }

    /// Feeds the body in place, and the final CRLF that it may lack (RFC 6376 §3.4.3, §3.4.4; without it libopendkim's
    /// relaxed canonicalization says SYNTAX). A CR without LF is a blank to libopendkim; the network's side refuses it.
    private func feedBody(_ body: MessageBody) throws {
        var tail: (UInt8, UInt8) = (0, 0)
        try body.forEachChunk { chunk in
            guard !chunk.isEmpty, let start = chunk.bindMemory(to: UInt8.self).baseAddress else { return }
            // libopendkim declares the buffer mutable and does not write to it.
            _ = dkim_body(dkim, UnsafeMutablePointer(mutating: start), chunk.count)
            tail = (chunk.count > 1 ? chunk[chunk.count - 2] : tail.1, chunk[chunk.count - 1])
        }
        guard body.count > 0, tail != (13, 10) else { return }
        var lineEnd: (UInt8, UInt8) = (13, 10)
        withUnsafeMutableBytes(of: &lineEnd) { _ = dkim_body(dkim, $0.bindMemory(to: UInt8.self).baseAddress, 2) }
    }

    /// Believed only if the signature passed, the body hash matched and no error stands.
    private func outcome(_ signature: OpaquePointer?, _ tags: SignatureTags) -> Outcome {
        let passed = dkim_sig_getflags(signature) & UInt32(DKIM_SIGFLAG_PASSED) != 0
        let bodyHash = dkim_sig_getbh(signature)
        let error = dkim_sig_geterror(signature)
        if passed, bodyHash == DKIM_SIGBH_MATCH, error == DKIM_SIGERROR_OK {
            return Outcome(verdict: .pass, reason: "good signature", coversWholeBody: coversWholeBody(signature, tags))
        }
        if error == DKIM_SIGERROR_TOOLARGE_L { return Self.failed("l= is larger than the body (RFC 6376 §3.5)", .fail) }
        if bodyHash == DKIM_SIGBH_MISMATCH { return Self.failed("the body was changed: its hash is not bh= (RFC 6376 §6.1.3)", .fail) }
        if error == DKIM_SIGERROR_BADSIG { return Self.failed("the signature does not verify (RFC 6376 §6.1.3)", .fail) }
        let words = dkim_sig_geterrorstr(error).map { String(cString: $0) } ?? "error \(error)"
        let verdict: DKIMSignatureResult.Verdict = switch error {
        case DKIM_SIGERROR_KEYDECODE: .permerror
        case DKIM_SIGERROR_EXPIRED, DKIM_SIGERROR_FUTURE: .policy
        default: .neutral
        }
        return Self.failed("libopendkim: \(words)", verdict)
    }

    private func coversWholeBody(_ signature: OpaquePointer?, _ tags: SignatureTags) -> Bool {
        guard tags.bodyLength != nil else { return true }
        var (message, canonical, signed) = (0, 0, 0)
        // `message` counts the body after canonicalization, `canonical` what of it went into the hash.
        guard dkim_sig_getcanonlen(dkim, signature, &message, &canonical, &signed) == DKIM_STAT_OK else { return false }
        return canonical == message
    }

    private static func failed(_ reason: String, _ verdict: DKIMSignatureResult.Verdict) -> Outcome {
        Outcome(verdict: verdict, reason: reason, coversWholeBody: false)
    }

    private static func isSame(_ text: UnsafeMutablePointer<UInt8>?, _ other: String) -> Bool {
        guard let text else { return false }
        return String(cString: text).lowercased() == other.lowercased()
    }

    private static func text(_ status: DKIM_STAT) -> String { dkim_getresultstr(status).map { String(cString: $0) } ?? "status \(status)" }
}
