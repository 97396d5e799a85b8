import ACME
import Synchronization
import TLS

/// The challenges that are shown now: by HTTP as files, by TLS as certificates.
final class Challenges: ChallengePresenter {
    /// RFC 8555 §8.3.
    static let path = "/.well-known/acme-challenge/"
    /// RFC 8737 §6.2.
    static let alpn = "acme-tls/1"

    private let files = Mutex<[String: String]>([:])
    private let contexts = Mutex<[String: TLSContext]>([:])

    func present(_ challenge: ACMEChallenge) async throws(ACMEFailure) {
        switch challenge.kind {
        case .http01: files.withLock { $0[challenge.token] = challenge.keyAuthorization }
        case .tlsALPN01:
            do {
                let pair = try SelfSignedCertificate.challenge(name: challenge.name, digest: challenge.digest)
                let context = try TLSContext.server([ServerChain(certificatePEM: pair.certificatePEM, privateKeyPEM: pair.privateKeyPEM)], protocols: [Self.alpn])
                contexts.withLock { $0[challenge.name] = context }
            } catch { throw ACMEFailure(.local, "\(challenge.name): the challenge's certificate cannot be made: \(error)") }
        }
    }

    func withdraw() async {
        files.withLock { $0 = [:] }
        contexts.withLock { $0 = [:] }
    }

    /// The file for a path, if it is one of a challenge.
    func file(_ path: String) -> String? {
        guard path.hasPrefix(Self.path) else { return nil }
        return files.withLock { $0[String(path.dropFirst(Self.path.count))] }
    }

    /// The context for who asks by `acme-tls/1`.
    func context(_ name: String, _ protocols: [String]) -> TLSContext? {
        guard protocols.contains(Self.alpn) else { return nil }
        return contexts.withLock { $0[name] }
    }
}
