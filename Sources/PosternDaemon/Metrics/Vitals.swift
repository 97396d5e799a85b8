import Foundation
import MailQueue

/// What a running gateway looks like at this moment: for `/metrics`, `/readyz` and `postern status`.
struct Vitals: Sendable {
    let live: Live
    let servers: GatewayServers
    let queue: MailQueue
    let started: Date

    /// The queue's figures. Walks over its index.
    func queueFigures() -> (count: Int, held: Int, oldest: Double) {
        var held = 0, first = Date.distantFuture, count = 0
        for entry in queue.entries() {
            count += 1
            if entry.isHeld { held += 1 }
            if entry.arrival < first { first = entry.arrival }
        }
        return (count, held, count == 0 ? 0 : max(0, Date().timeIntervalSince(first)))
    }

    /// Blocks for /proc and the state of ACME.
    func gauges() -> [Metrics.Gauge] {
        let figures = queueFigures(), parts = live.current
        var out: [Metrics.Gauge] = [
            .init(name: "postern_build_info", labels: [("version", Version.text)], value: 1),
            .init(name: "postern_start_time_seconds", value: started.timeIntervalSince1970.rounded()),
            .init(name: "postern_queue_messages", value: Double(figures.count)), .init(name: "postern_queue_held_messages", value: Double(figures.held)),
            .init(name: "postern_queue_oldest_seconds", value: figures.oldest.rounded()),
        ]
        out += servers.connectionCounts.map { .init(name: "postern_connections", labels: [("listener", $0.name)], value: Double($0.count)) }
        out += parts.certificates.served.compactMap { one in
            one.facts.notAfter.map { .init(name: "postern_certificate_expiry_timestamp_seconds", labels: [("name", one.name ?? one.facts.names.first ?? "")], value: Double($0)) }
        }
        if parts.settings[Known.acme] { out.append(.init(name: "postern_acme_failures", value: Double(ACMEStore(parts.settings).state().failures))) }
        return out + ProcessFacts.gauges()
    }

    /// nil when mail can be taken; else why not. Blocks.
    func problem() -> String? {
        let data = live.current.settings[Known.dataDirectory].path
        if access(data, W_OK | X_OK) != 0 { return "\(data) cannot be written: \(String(cString: strerror(errno)))" }
        do {
            if try !queue.hasRoom(for: 0) { return "the disk is full: less than queue_minfree is free" }
        } catch { return "\(error)" }
        return nil
    }
}

/// The process as Linux tells of it.
enum ProcessFacts {
    static func gauges() -> [Metrics.Gauge] {
        var used = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        let cpu = Double(used.tv_sec) + Double(used.tv_nsec) / 1e9
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        return [.init(name: "process_resident_memory_bytes", value: residentBytes()), .init(name: "process_open_fds", value: Double(files)),
                .init(name: "process_cpu_seconds_total", value: cpu)]
    }

    /// proc(5): the second number of statm, in pages.
    private static func residentBytes() -> Double {
        let text = FileManager.default.contents(atPath: "/proc/self/statm").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let words = text.split(separator: " ")
        return words.count > 1 ? (Double(words[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
