import BlockingPool
import Control
import Delivery
import Logging
import MailQueue
import NIOCore

/// The commands that a running gateway answers on its control socket.
enum ControlWiring {
    static func path(_ settings: Settings) -> String { settings[Known.dataDirectory].path + "/control" }

    /// nil, which is logged, where the data folder's path is too long for a socket: the gateway works without.
    static func server(_ settings: Settings, queue: MailQueue, relay: RelayService, certificates: CertificateDesks, pool: BlockingPool, group: any EventLoopGroup, logger: Logger,
                       status: @escaping @Sendable () -> StatusReport) -> ControlServer? {
        let desk = QueueDesk(queue: queue, relay: relay, pool: pool, log: logger)
        let handlers: [String: ControlServer.Handler] = [
            QueueAccess.command: { request, answer in try await desk.run(try request.decode(QueueRequest.self)) { try await answer.send($0) } },
            QueueAccess.changed: { _, answer in
                let taken = try await pool.run { try queue.adopt() }
                for id in taken { relay.enqueued(id) }
                try await answer.send(taken)
            },
            StatusAccess.command: { _, answer in try await answer.send(try await pool.run { status() }) },
            ACMEAccess.command: { request, answer in
                let desk = try certificates.desk(isTrial: try request.decode(Bool.self))
                _ = try await desk.attempt { try? await answer.send($0) }
            },
        ]
        do { return try ControlServer(path: path(settings), handlers: handlers, group: group, logger: logger) } catch {
            logger.warning("no control socket: postern queue works only while the gateway is stopped", metadata: ["error": "\(error)"])
            return nil
        }
    }

    static func start(_ server: ControlServer?, _ logger: Logger) async {
        do { try await server?.start() } catch {
            logger.warning("no control socket: postern queue works only while the gateway is stopped", metadata: ["error": "\(error)"])
        }
    }
}
