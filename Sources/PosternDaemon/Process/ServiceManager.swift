#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Dispatch
import Foundation

/// Tells the service manager (systemd) how the process is: the protocol of sd_notify(3), a datagram of `NAME=value` lines
/// to the socket that `NOTIFY_SOCKET` names. Without that variable it says nothing.
public struct ServiceManager: Sendable {
    private let address: String?
    /// Half of `WATCHDOG_USEC`, as sd_watchdog_enabled(3) advises; nil when nobody waits for signs of life.
    public let watchdogInterval: Duration?

    /// - Parameters:
    ///   - environment: the process's.
    ///   - pid: this process; a watchdog may be meant for another.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment, pid: Int32 = getpid()) {
        let named = environment["NOTIFY_SOCKET"] ?? ""
        address = named.hasPrefix("/") || named.hasPrefix("@") ? named : nil
        let isOurs = environment["WATCHDOG_PID"].map { $0 == String(pid) } ?? true
        watchdogInterval = environment["WATCHDOG_USEC"].flatMap(Int64.init).flatMap { $0 > 1 && isOurs ? .microseconds($0 / 2) : nil }
    }

    public func ready() { send("READY=1") }
    public func stopping() { send("STOPPING=1") }
    public func alive() { send("WATCHDOG=1") }
    /// A line for `systemctl status`.
    public func status(_ text: String) { send("STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")) }

    /// A reload begins; ``ready()`` says that it is over. The time tells it from an older one (systemd.service(5), Type=notify-reload).
    public func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)")
    }

    /// Signs of life until the task ends. They come from the pool that runs everything else: when it hangs, they stop.
    public func watch() async {
        guard let interval = watchdogInterval else { return }
        while !Task.isCancelled {
            alive()
            try? await Task.sleep(for: interval)
        }
    }

    /// Never waits, and never fails aloud: a service manager that does not listen is no reason to stop.
    private func send(_ text: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var place = sockaddr_un()
        var name = Array(address.utf8)
        guard name.count < MemoryLayout.size(ofValue: place.sun_path) else { return }
        // @: a name in Linux's abstract name space (unix(7)).
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let octets = Array(text.utf8)
        _ = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL), $0, length) }
        }
    }
}
