import NIOCore
import NetworkAddress

/// Looks for the client's name while the session goes on. Used on its event loop only; ``future`` may be awaited anywhere.
final class ClientNameLookup {
    let future: EventLoopFuture<String?>
    private let promise: EventLoopPromise<String?>
    private var isSettled = false
    private var deadline: Scheduled<Void>?

    init(_ address: IPAddress, on loop: any EventLoop, timeout: TimeAmount, _ lookup: @escaping @Sendable (IPAddress) async -> String?) {
        promise = loop.makePromise(of: String?.self)
        future = promise.futureResult
        let bound = NIOLoopBound(self, eventLoop: loop)
        let work = Task {
            let name = await lookup(address)
            loop.execute { bound.value.settle(name) }
        }
        deadline = loop.scheduleTask(in: timeout) {
            work.cancel()
            bound.value.settle(nil)
        }
    }

    private func settle(_ name: String?) {
        guard !isSettled else { return }
        isSettled = true
        deadline?.cancel()
        promise.succeed(name)
    }
}
