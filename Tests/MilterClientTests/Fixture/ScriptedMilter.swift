import NIOCore
import NIOPosix
import Synchronization

/// A packet as the milter got it.
struct Packet: Sendable, Equatable {
    let code: Character
    let data: [UInt8]

    /// Its NUL-ended texts.
    var texts: [String] { data.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) } }
    /// Of a macro packet: the stage it is for, and names and values by turns.
    var macros: [String: String] {
        let words = Packet(code: code, data: Array(data.dropFirst())).texts
        return Dictionary(stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }, uniquingKeysWith: { $1 })
    }
}

/// What the milter does about a packet.
indirect enum Reaction: Sendable {
    case say(Character, [UInt8])
    /// The octets as they are, one write each.
    case drip([UInt8])
    case raw([UInt8])
    case later(TimeAmount, Reaction)
    case hangUp

    static func say(_ code: Character) -> Reaction { .say(code, []) }
    static func say(_ code: Character, _ first: String, _ more: String...) -> Reaction { .say(code, ([first] + more).flatMap { Array($0.utf8) + [0] }) }
    static func say(_ code: Character, index: UInt32, _ texts: String...) -> Reaction {
        .say(code, number(index) + texts.flatMap { Array($0.utf8) + [0] })
    }

    /// The answer to the negotiation. `macros`: stage number and names.
    static func negotiate(_ version: UInt32 = 6, actions: UInt32 = 0x1ff, flags: UInt32 = 0, macros: [(UInt32, String)] = []) -> Reaction {
        .say("O", number(version) + number(actions) + number(flags) + macros.flatMap { number($0) + Array($1.utf8) + [0] })
    }

    static func number(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    static func packet(_ code: Character, _ data: [UInt8] = []) -> [UInt8] {
        number(UInt32(data.count + 1)) + [code.asciiValue ?? 0] + data
    }
}

/// A milter on a loopback port that follows a script and remembers what it was told.
final class ScriptedMilter: Sendable {
    typealias Script = @Sendable (Packet) -> [Reaction]

    private let log = Mutex<[Packet]>([])
    private let connectionCount = Mutex(0)
    let port: Int
    private let channel: any Channel

    var packets: [Packet] { log.withLock { $0 } }
    /// The codes in order, as `OCDHM…`.
    var codes: String { String(packets.map(\.code)) }
    var connections: Int { connectionCount.withLock { $0 } }

    func last(_ code: Character) -> Packet? { packets.last { $0.code == code } }
    /// The macros last sent for a stage, as `M`.
    func macros(for stage: Character) -> [String: String]? {
        packets.last { $0.code == "D" && $0.data.first == stage.asciiValue }?.macros
    }

    /// - Parameter reads: a milter that never reads, if false.
    private init(reads: Bool, _ script: @escaping Script) async throws {
        let box = Recorder()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: reads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    box.owner.withLock { $0?.connectionCount.withLock { $0 += 1 } }
                    try channel.pipeline.syncOperations.addHandler(Handler(script) { packet in
                        box.owner.withLock { $0?.log.withLock { $0.append(packet) } }
                    })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
        box.owner.withLock { $0 = self }
    }

    private final class Recorder: Sendable { let owner = Mutex<ScriptedMilter?>(nil) }

    static func with<T>(reads: Bool = true, _ script: @escaping Script, _ body: (ScriptedMilter) async throws -> T) async throws -> T {
        let milter = try await ScriptedMilter(reads: reads, script)
        do {
            let value = try await body(milter)
            try await milter.channel.close()
            return value
        } catch {
            try? await milter.channel.close()
            throw error
        }
    }

    /// A script: the negotiation's answer, reactions by command, and `continue` to what is not listed.
    static func script(_ negotiation: Reaction = .negotiate(), _ reactions: [Character: [Reaction]] = [:]) -> Script {
        { packet in
            if packet.code == "O" { return [negotiation] }
            if let listed = reactions[packet.code] { return listed }
            return "CHMRTLNBE".contains(packet.code) ? [.say("c")] : []
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let script: Script
        private let record: (Packet) -> Void
        private var input = ByteBuffer()

        init(_ script: @escaping Script, _ record: @escaping (Packet) -> Void) {
            self.script = script
            self.record = record
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            input.writeBuffer(&buffer)
            while let length = input.getInteger(at: input.readerIndex, as: UInt32.self), input.readableBytes >= 4 + Int(length) {
                input.moveReaderIndex(forwardBy: 4)
                guard let bytes = input.readBytes(length: Int(length)), let code = bytes.first else { return }
                let packet = Packet(code: Character(UnicodeScalar(code)), data: Array(bytes.dropFirst()))
                record(packet)
                for reaction in script(packet) { Self.perform(reaction, context.channel) }
            }
        }

        private static func perform(_ reaction: Reaction, _ channel: any Channel) {
            switch reaction {
            case .say(let code, let data): channel.writeAndFlush(ByteBuffer(bytes: Reaction.packet(code, data)), promise: nil)
            case .raw(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            case .drip(let bytes): for byte in bytes { channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil) }
            case .later(let delay, let next): channel.eventLoop.scheduleTask(in: delay) { perform(next, channel) }
            case .hangUp: channel.close(promise: nil)
            }
        }
    }
}
