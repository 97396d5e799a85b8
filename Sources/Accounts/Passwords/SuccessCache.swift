import COpenSSL
import Synchronization

/// Remembers for a short time which log-ins succeeded, so that a mail client's many connections cost one yescrypt.
///
/// What is kept is an HMAC with a key of this process over user, password and the stored hash: it is no use outside the
/// process, and a changed password no longer matches, whoever changed it.
final class SuccessCache: Sendable {
    private let key: [UInt8]
    private let lifetime: Duration
    private let capacity: Int
    private let entries = Mutex<[[UInt8]: ContinuousClock.Instant]>([:])

    init(lifetime: Duration = .seconds(300), capacity: Int = 4096) {
        self.lifetime = lifetime
        self.capacity = capacity
        var generator = SystemRandomNumberGenerator()
        key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    func contains(user: String, password: String, hash: String, now: ContinuousClock.Instant) -> Bool {
        guard let digest = digest(user, password, hash) else { return false }
        return entries.withLock { ($0[digest] ?? now) > now }
    }

    func insert(user: String, password: String, hash: String, now: ContinuousClock.Instant) {
        guard let digest = digest(user, password, hash) else { return }
        entries.withLock { table in
            if table.count >= capacity { table = table.filter { $0.value > now } }
            if table.count >= capacity { table.removeAll(keepingCapacity: true) }
            table[digest] = now + lifetime
        }
    }

    private func digest(_ parts: String...) -> [UInt8]? {
        // A length before each part: no two lists of parts make the same octets.
        let data = parts.flatMap { part in withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian) { Array($0) } + Array(part.utf8) }
        var out = [UInt8](repeating: 0, count: 32)
        var length = 0
        guard EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, data, data.count, &out, out.count, &length) != nil, length == 32 else { return nil }
        return out
    }
}
