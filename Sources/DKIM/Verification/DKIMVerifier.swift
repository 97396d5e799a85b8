import DNS
import Foundation
import InternetMessage
import NetworkAddress

/// Verifies the DKIM signatures of messages (RFC 6376, 8301, 8463) with libopendkim and keys from the given resolver.
///
/// One verifier serves any number of messages at once. Hashing and public-key work run on the caller's executor between
/// awaits and may take milliseconds, and longer for a body in a file: call it from a task that prefers a blocking pool.
public final class DKIMVerifier: Sendable {
    private let library: OpenDKIMLibrary
    private let lookup: KeyLookup
    private let limits: DKIMLimits
    private let now: @Sendable () -> Int

    /// - Parameters:
    ///   - now: seconds since 1970, for t= and x=.
    /// - Throws: ``DKIMLibraryFailure``.
    public init(resolver: any Resolver, limits: DKIMLimits = .init(),
                now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }) throws {
        library = try OpenDKIMLibrary(clockDrift: limits.clockDrift)
        lookup = KeyLookup(resolver: resolver, deadline: Deadline(limits.keyDeadline))
        self.limits = limits
        self.now = now
    }

    /// One result for each DKIM-Signature field, top first; none for a message without.
    public func verify(_ message: Message) async -> [DKIMSignatureResult] {
        var signatures = readSignatures(message.header)
        guard !signatures.isEmpty else { return [] }
        let names = Set(signatures.compactMap { $0.tags?.keyName })
        if !names.isEmpty {
            let answers = await lookup.answers(for: names)
            for index in signatures.indices { signatures[index].take(answers, limits) }
        }
        runLibrary(message, &signatures)
        let prefixes = SignaturePrefix.prefixes(of: signatures.map { $0.list?.compact("b") ?? "" })
        return zip(signatures, prefixes).map { $0.result(prefix: $1) }
    }

    private func readSignatures(_ header: MessageHeader) -> [PendingSignature] {
        let time = now()
        var out: [PendingSignature] = []
        for (index, field) in header.fields.enumerated() where field.isNamed("DKIM-Signature") {
            out.append(PendingSignature(field, at: index, ordinal: out.count, now: time, limits: limits))
        }
        if header.fields.count > limits.maxHeaderFields || header.byteCount > limits.maxHeaderOctets {
            for index in out.indices { out[index].refuse(.policy("the header is too large to verify: \(header.fields.count) fields")) }
        }
        return out
    }

    /// Runs what has a key through libopendkim and puts the outcomes in place.
    private func runLibrary(_ message: Message, _ signatures: inout [PendingSignature]) {
        let skipped = Set(signatures.filter(\.isSkipped).map(\.fieldIndex))
        let fed = signatures.indices.filter { !signatures[$0].isSkipped }
        var places: [Int] = []
        var candidates: [VerificationRun.Candidate] = []
        for (position, index) in fed.enumerated() {
            guard let tags = signatures[index].tags, let key = signatures[index].libraryKey else { continue }
            places.append(index)
            candidates.append(.init(position: position, tags: tags, keyRecord: key))
        }
        guard !candidates.isEmpty else { return }
        let outcomes = VerificationRun.verify(message, candidates: candidates, skipping: skipped, with: library)
        for (index, outcome) in zip(places, outcomes) { signatures[index].outcome = outcome }
    }
}
