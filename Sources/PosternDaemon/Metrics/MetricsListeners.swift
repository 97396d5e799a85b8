import BlockingPool
import Foundation
import NIOCore
import Synchronization
import WebServer

/// The listeners for Prometheus and supervisors: `/metrics`, `/healthz` (the process answers), `/readyz` (mail can be taken).
final class MetricsListeners: Sendable {
    private let servers: [(address: ListenAddress, server: WebServer)]

    init(_ settings: Settings, vitals: Vitals, metrics: Metrics, pool: BlockingPool, group: any EventLoopGroup) {
        let answer: WebAnswer = { request in
            switch request.path {
            case "/metrics":
                let gauges = (try? await pool.run { vitals.gauges() }) ?? []
                return .text(metrics.exposition(gauges), type: "text/plain; version=0.0.4; charset=utf-8")
            case "/healthz": return .text("ok\n")
            case "/readyz":
                do {
                    guard let problem = try await pool.run({ vitals.problem() }) else { return .text("ok\n") }
                    return .text(problem + "\n", status: 503)
                } catch { return .text("\(error)\n", status: 503) }
            default: return .notFound
            }
        }
        servers = settings[Known.listenMetrics].map { ($0, WebServer(host: $0.host?.description ?? "::", port: $0.port, group: group, answer: answer)) }
    }

    /// - Throws: what is wrong, in words for an operator.
    func bind() async throws -> [(name: String, address: String, port: Int)] {
        var bound: [(name: String, address: String, port: Int)] = []
        for one in servers {
            do {
                let port = try await one.server.bind()
                bound.append(("metrics", "\(ListenAddress(host: one.address.host, port: port))", port))
            } catch {
                await stop()
                throw Privileges.Failure(description: "listen.metrics \(one.address) cannot be bound: \(error). Stop what listens there, or name another address")
            }
        }
        return bound
    }

    func accept() async throws { for one in servers { try await one.server.accept() } }
    func stop() async { for one in servers { await one.server.stop() } }
}

/// What a running gateway says of itself beside its figures; changes with a reload.
final class GatewayFacts: Sendable {
    private let state: Mutex<(origin: SettingsOrigin, listeners: [(name: String, address: String, port: Int)])>
    let problems: RecentProblems?

    init(_ origin: SettingsOrigin, _ problems: RecentProblems?) {
        state = Mutex((origin, []))
        self.problems = problems
    }

    var origin: SettingsOrigin { state.withLock { $0.origin } }
    func reloaded() { state.withLock { $0.origin.loaded = Date() } }

    /// Those that are no mail's: `http`, `https`, `metrics`.
    var listeners: [(name: String, address: String, port: Int)] { state.withLock { $0.listeners } }
    func bound(_ listeners: [(name: String, address: String, port: Int)]) { state.withLock { $0.listeners = listeners } }
}
