import Foundation

/// How the authority is asked.
public protocol ACMETransport: Sendable {
    /// - Throws: ``ACMEFailure`` when there is no answer.
    func send(_ request: ACMERequest) async throws(ACMEFailure) -> ACMEAnswer
}

/// Shows challenges to the authority.
public protocol ChallengePresenter: Sendable {
    /// From when this returns, whoever asks is answered.
    /// - Throws: ``ACMEFailure``.
    func present(_ challenge: ACMEChallenge) async throws(ACMEFailure)
    /// Forgets all that was shown.
    func withdraw() async
}

/// Drives an ``ACMESession`` against an authority.
public struct ACMEClient: Sendable {
    private let transport: any ACMETransport
    private let presenter: any ChallengePresenter
    private let limit: Duration
    /// Told what is being done, in words.
    private let progress: @Sendable (String) async -> Void

    /// - Parameter limit: for all of it.
    public init(transport: any ACMETransport, presenter: any ChallengePresenter, limit: Duration = .seconds(600),
                progress: @escaping @Sendable (String) async -> Void = { _ in }) {
        self.transport = transport
        self.presenter = presenter
        self.limit = limit
        self.progress = progress
    }

    /// Obtains a certificate.
    /// - Returns: the key and the chain as a file of Postfix's `smtpd_tls_chain_files` has them, the key first.
    /// - Throws: ``ACMEFailure``.
    public func issue(_ order: ACMESession.Order, key: AccountKey) async throws(ACMEFailure) -> String {
        let request: CertificateRequest
        do { request = try CertificateRequest(names: order.names) } catch { throw ACMEFailure(.local, "\(error)") }
        let result = await run(ACMESession(order, key: key, request: request))
        await presenter.withdraw()
        return request.privateKeyPEM + (try result.get())
    }

    private func run(_ start: ACMESession) async -> Result<String, ACMEFailure> {
        var session = start, event = ACMEEvent.start
        let end = ContinuousClock.now + limit
        while true {
            guard ContinuousClock.now < end else { return .failure(ACMEFailure(.timedOut, "it took longer than \(limit.components.seconds) s")) }
            if Task.isCancelled { return .failure(ACMEFailure(.local, "broken off: the program ends")) }
            switch session.next(event) {
            case .send(let request):
                do throws(ACMEFailure) { event = .answer(try await transport.send(request)) } catch { event = .failed(error) }
            case .present(let challenge):
                await progress("\(challenge.name): showing \(challenge.kind.rawValue)")
                do throws(ACMEFailure) {
                    try await presenter.present(challenge)
                    event = .presented
                } catch { event = .failed(error) }
            case .wait(let seconds):
                try? await Task.sleep(for: .seconds(seconds))
                event = .waited
            case .finished(let chain): return .success(chain)
            case .failed(let failure): return .failure(failure)
            }
        }
    }
}
