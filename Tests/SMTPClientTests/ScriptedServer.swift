import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TLS

/// An SMTP server on a free loopback port that follows a script: for each connection in turn a table from a command's
/// beginning to the answer, the first match wins.
///
/// `DATA` answered with 354 collects up to the final dot and then answers with the entry `.`. The answer `!` closes the
/// connection, the answer `-` is silence.
final class ScriptedServer: Sendable {
    struct Script: Sendable {
        var greeting = "220 mx.test ESMTP"
        /// For STARTTLS answered with 220.
        var tls: TLSContext?
        /// Answers whatever follows STARTTLS with text that is no TLS record.
        var speaksNoTLS = false
        var answers: [(command: String, reply: String)] = []

        /// A script that takes everything, with extensions.
        static func accepting(_ extensions: String...) -> Script {
            let lines = ["mx.test"] + extensions
            let ehlo = lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)" }.joined(separator: "\r\n")
            return Script(answers: [("EHLO", ehlo), ("MAIL", "250 2.1.0 ok"), ("RCPT", "250 2.1.5 ok"), ("DATA", "354 go"),
                                    (".", "250 2.0.0 queued as T1"), ("RSET", "250 ok"), ("QUIT", "221 bye"), ("", "500 what")])
        }

        /// The script with another answer in front.
        func answering(_ command: String, _ reply: String) -> Script {
            var out = self
            out.answers.insert((command, reply), at: 0)
            return out
        }

        func securing(_ context: TLSContext) -> Script {
            var out = self
            out.tls = context
            return out
        }

        func answeringGarbage() -> Script {
            var out = self
            out.speaksNoTLS = true
            return out
        }

        func greeting(_ text: String) -> Script {
            var out = self
            out.greeting = text
            return out
        }
    }

    /// What the server heard; shared with its connections.
    final class Journal: Sendable {
        private struct State {
            var scripts: [Script]
            var commands: [[String]] = []
            var messages: [String] = []
        }
        private let state: Mutex<State>
        init(_ scripts: [Script]) { state = Mutex(State(scripts: scripts)) }

        /// A new connection's number and script; past the last script the last one again.
        func connect() -> (number: Int, script: Script) {
            state.withLock { state in
                state.commands.append([])
                let number = state.commands.count - 1
                return (number, state.scripts[min(number, state.scripts.count - 1)])
            }
        }
        func heard(_ command: String, _ number: Int) { state.withLock { $0.commands[number].append(command) } }
        func received(_ message: String) { state.withLock { $0.messages.append(message) } }
        var commands: [[String]] { state.withLock { $0.commands } }
        var messages: [String] { state.withLock { $0.messages } }
    }

    let port: Int
    let journal: Journal
    private let channel: any Channel

    init(_ scripts: Script..., group: any EventLoopGroup) async throws {
        let journal = Journal(scripts)
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ScriptedConnection(journal)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
        self.journal = journal
    }

    func stop() async { try? await channel.close() }
}

private final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let journal: ScriptedServer.Journal
    private let number: Int
    private let script: ScriptedServer.Script
    private var pending = ""
    private var content: String?
    private var isBeyondSTARTTLS = false

    init(_ journal: ScriptedServer.Journal) {
        self.journal = journal
        (number, script) = journal.connect()
    }

    func channelActive(context: ChannelHandlerContext) { answer(script.greeting, context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if script.speaksNoTLS, isBeyondSTARTTLS { return answer("500 what is this", context) }
        pending += String(buffer: unwrapInboundIn(data))
        while let end = pending.range(of: "\r\n") {
            let line = String(pending[..<end.lowerBound])
            pending = String(pending[end.upperBound...])
            take(line, context)
        }
    }

    private func take(_ line: String, _ context: ChannelHandlerContext) {
        if let soFar = content {
            guard line == "." else {
                content = soFar + line + "\r\n"
                return
            }
            journal.received(soFar)
            content = nil
            reply(to: ".", context)
            return
        }
        journal.heard(line, number)
        reply(to: line, context)
    }

    private func reply(to command: String, _ context: ChannelHandlerContext) {
        let text = script.answers.first { command.hasPrefix($0.command) }?.reply ?? "500 no script"
        if command == "DATA", text.hasPrefix("354") { content = "" }
        answer(text, context)
        if command == "STARTTLS" { isBeyondSTARTTLS = true }
        if command == "STARTTLS", let tls = script.tls, let handler = try? TLSHandler(server: tls) {
            try? context.pipeline.syncOperations.addHandler(handler, position: .first)
        }
        if command == "QUIT" { context.close(promise: nil) }
    }

    private func answer(_ text: String, _ context: ChannelHandlerContext) {
        switch text {
        case "!": context.close(promise: nil)
        case "-": break
        default: context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
        }
    }
}
