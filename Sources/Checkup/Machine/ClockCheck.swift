import CTimex
import DNS
import Foundation
import NetworkAddress

/// Whether the machine's clock can be right. Nothing here knows the true time; what is impossible is said, and whether
/// anything keeps the clock. Blocks.
public struct ClockCheck: Sendable {
    /// Files that cannot be from the future.
    private let files: [String]
    /// Seconds since 1970.
    private let now: Int64

    public init(files: [String], now: Int64) {
        self.files = files
        self.now = now
    }

    /// - Parameter signatures: when DNSSEC signatures of the root that the resolver holds began and end, if any could be had.
    public func run(signatures: [(from: Int64, until: Int64)] = []) -> [CheckFinding] {
        func wrong(_ text: String) -> CheckFinding {
            CheckFinding("clock", "the clock", .wrong, .safety, text, remedy: "set the clock and keep it: timedatectl set-ntp true, or install chrony",
                         why: "certificates, DKIM signatures, DNSSEC and the queue's times all go by it")
        }
        // A minute's leeway: files on a network disk have another machine's time.
        if let newer = newest(), newer.time > now + 60 {
            return [wrong("the clock says \(Self.text(now)), which is before \(newer.path) was last written (\(Self.text(newer.time))): it is behind")]
        }
        if !signatures.isEmpty, !signatures.contains(where: { $0.from - 3600 <= now && now <= $0.until }) {
            let one = signatures[0]
            return [wrong("the clock says \(Self.text(now)), and the DNS root's signatures of today hold from \(Self.text(one.from)) to \(Self.text(one.until))")]
        }
        return [keeper()]
    }

    /// The program itself was built before it could run.
    private func newest() -> (path: String, time: Int64)? {
        let all = (["/proc/self/exe"] + files).compactMap { path -> (path: String, time: Int64)? in
            var facts = stat()
            guard stat(path, &facts) == 0 else { return nil }
            return (path == "/proc/self/exe" ? CommandLine.arguments.first ?? "postern" : path, Int64(facts.st_mtim.tv_sec))
        }
        return all.max { $0.time < $1.time }
    }

    /// What the kernel was told by whoever keeps the clock (adjtimex(2)).
    private func keeper() -> CheckFinding {
        let kept = postern_clock_is_kept()
        guard kept >= 0 else { return CheckFinding("clock", "the clock", .note, .minor, "whether the clock is kept cannot be asked: \(String(cString: strerror(errno)))") }
        if kept == 0 {
            return CheckFinding("clock", "the clock", .note, .minor, "the clock says \(Self.text(now)); the kernel knows of nobody who keeps it right",
                                remedy: "timedatectl set-ntp true, or install chrony; in a container the host does it")
        }
        return CheckFinding("clock", "the clock", .ok, .safety, "the clock is kept, and says \(Self.text(now))")
    }

    static func text(_ seconds: Int64) -> String { Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601) }

    /// The validity of RRSIG records (RFC 4034 §3.1.5), in seconds since 1970.
    public static func signatures(of name: DomainName, _ resolver: any Resolver) async -> [(from: Int64, until: Int64)] {
        guard case .records(let records) = await resolver.resolve(DNSQuestion(name, DNSRecordType(rawValue: 46))).outcome else { return [] }
        return records.compactMap { rdata in
            guard rdata.count >= 18 else { return nil }
            func number(_ at: Int) -> Int64 { rdata[at..<(at + 4)].reduce(0) { $0 << 8 | Int64($1) } }
            return (from: number(12), until: number(8))
        }
    }
}
