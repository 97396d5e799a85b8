import NIOCore
import NIOHTTP1

/// One connection: reads a request, has it answered, closes. Used on its event loop only.
final class WebHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: WebAnswer
    private let limits: WebServer.Limits
    private var deadline: Scheduled<Void>?
    private var head: HTTPRequestHead?
    private var octets = 0
    private var isAnswered = false

    init(answer: @escaping WebAnswer, limits: WebServer.Limits) {
        self.answer = answer
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limits.time) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            octets = head.uri.utf8.count + head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
            if octets > limits.request { reply(.text("the request is too long\n", status: 431), context) }
        case .body(let piece):
            octets += piece.readableBytes
            if octets > limits.request { reply(.text("the request is too long\n", status: 413), context) }
        case .end: serve(context)
        }
    }

    private func serve(_ context: ChannelHandlerContext) {
        guard let head else { return }
        guard head.method == .GET || head.method == .HEAD else { return reply(.text("only GET and HEAD are answered\n", status: 405), context) }
        let request = WebRequest(method: head.method.rawValue, path: String(head.uri.prefix { $0 != "?" && $0 != "#" }), host: Self.host(head))
        isAnswered = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop, answer = answer
        Task {
            let response = await answer(request)
            loop.execute {
                let (handler, context) = bound.value
                handler.write(response, context)
            }
        }
    }

    private func reply(_ response: WebResponse, _ context: ChannelHandlerContext) {
        isAnswered = true
        write(response, context)
    }

    private func write(_ response: WebResponse, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let headers = HTTPHeaders([
            ("Content-Type", response.type), ("Content-Length", "\(response.body.count)"), ("Connection", "close"), ("X-Content-Type-Options", "nosniff"),
        ])
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: response.status), headers: headers))), promise: nil)
        if head?.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil) }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    /// `Example.org:8080` is example.org.
    private static func host(_ head: HTTPRequestHead) -> String {
        let text = head.headers.first(name: "Host")?.lowercased() ?? ""
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        return String(text.prefix { $0 != ":" })
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
