#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Synchronization

/// Makes unique Maildir base names: `seconds.M<microseconds>P<pid>Q<count>.<host>`.
final class UniqueName: Sendable {
    private let count = Atomic<Int>(0)
    private let host: String

    init() {
        var buffer = [CChar](repeating: 0, count: 256)
        let bytes = gethostname(&buffer, buffer.count - 1) == 0 ? buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : []
        let name = String(decoding: bytes.filter { $0 > 32 && $0 < 127 && $0 != 44 }, as: UTF8.self)
        // The format's own escapes for what a file name or the info part cannot hold.
        host = name.isEmpty ? "localhost" : name.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\057")
            .split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\072")
    }

    func next() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let serial = count.add(1, ordering: .relaxed).newValue
        return "\(now.tv_sec).M\(now.tv_nsec / 1000)P\(getpid())Q\(serial).\(host)"
    }
}
