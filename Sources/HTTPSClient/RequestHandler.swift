import NIOCore
import NIOHTTP1
import TLS

/// Asks once the handshake is done and collects the answer, within its bounds. Used on its event loop only.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let host: String
    private let request: HTTPSRequest
    private let bodyLimit: Int
    private let time: TimeAmount
    private var answer: EventLoopPromise<HTTPSResponse>?
    private var deadline: Scheduled<Void>?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(host: String, request: HTTPSRequest, bodyLimit: Int, time: TimeAmount, answer: EventLoopPromise<HTTPSResponse>) {
        self.host = host
        self.request = request
        self.bodyLimit = bodyLimit
        self.time = time
        self.answer = answer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: time) {
            let (handler, context) = bound.value
            handler.fail(.timedOut, context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { settle(.failure(.broken("the connection was given up"))) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSHandshakeCompleted {
            var headers = HTTPHeaders([("Host", host), ("User-Agent", "postern")] + request.headers + [("Connection", "close")])
            if !request.body.isEmpty || request.method == "POST" { headers.add(name: "Content-Length", value: "\(request.body.count)") }
            context.write(wrapOutboundOut(.head(HTTPRequestHead(version: .http1_1, method: .init(rawValue: request.method), uri: request.path, headers: headers))), promise: nil)
            if !request.body.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let piece):
            guard body.count + piece.readableBytes <= bodyLimit else { return fail(.tooLarge(limit: bodyLimit), context) }
            body += piece.readableBytesView
        case .end: finish(context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        guard let head else { return fail(.broken("an answer without a head"), context) }
        let type = head.headers.first(name: "Content-Type")?.prefix { $0 != ";" }.trimmingASCIIBlanks.lowercased() ?? ""
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        settle(.success(HTTPSResponse(status: Int(head.status.code), mediaType: type, headers: headers, body: body)))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        settle(.failure(.broken("the server closed the connection before the end of its answer")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail((error as? TLSError).map { .tls("\($0)") } ?? .broken("no HTTP answer: \(error)"), context)
    }

    private func fail(_ failure: HTTPSFailure, _ context: ChannelHandlerContext) {
        settle(.failure(failure))
        context.close(promise: nil)
    }

    private func settle(_ result: Result<HTTPSResponse, HTTPSFailure>) {
        deadline?.cancel()
        answer?.completeWith(result.mapError { $0 as any Error })
        answer = nil
    }
}

extension Substring {
    fileprivate var trimmingASCIIBlanks: Substring {
        var out = self
        while out.first == " " || out.first == "\t" { out.removeFirst() }
        while out.last == " " || out.last == "\t" { out.removeLast() }
        return out
    }
}
