import Logging
import NIOCore
import NetworkAddress
import TLS
import WebServer

/// The HTTP and HTTPS listeners: challenges of the authority, and MTA-STS policies. Bound while root, served by whom we become.
final class WebListeners: Sendable {
    private let servers: [(name: String, address: ListenAddress, server: WebServer)]

    /// - Parameter live: whose settings and certificate hold at each request; nil for a command, which answers challenges only.
    init(_ settings: Settings, live: Live?, challenges: Challenges, group: any EventLoopGroup, needsHTTP: Bool, needsHTTPS: Bool) {
        let answer: WebAnswer = { request in
            if let text = challenges.file(request.path) { return .text(text, type: "application/octet-stream") }
            return .notFound
        }
        let secure: WebAnswer = { request in
            guard let live, let policy = PolicyDocument.answer(request, live.current.settings) else { return await answer(request) }
            return policy
        }
        let standIn = try? SelfSignedCertificate.generate(names: [settings[Known.myhostname].text], days: 90)
        let context = standIn.flatMap { pair in
            try? TLSContext.server([ServerChain(certificatePEM: pair.certificatePEM, privateKeyPEM: pair.privateKeyPEM)],
                                   protocolChooser: { challenges.context($0, $1) }, chooser: { live?.current.certificates.chosen($0) })
        }
        func made(_ name: String, _ address: ListenAddress, _ tls: (@Sendable () -> TLSContext?)?, _ answer: @escaping WebAnswer) -> (String, ListenAddress, WebServer) {
            (name, address, WebServer(host: address.host?.description ?? "::", port: address.port, tls: tls, group: group, answer: answer))
        }
        servers = (needsHTTP ? settings[Known.listenHTTP] : []).map { made("http", $0, nil, answer) }
            + (needsHTTPS ? settings[Known.listenHTTPS] : []).map { made("https", $0, { context }, secure) }
    }

    /// - Returns: what is bound: name, address, port.
    /// - Throws: what is wrong, in words for an operator, after ending those that could be bound.
    func bind() async throws -> [(name: String, address: String, port: Int)] {
        var bound: [(name: String, address: String, port: Int)] = []
        for one in servers {
            do {
                let port = try await one.server.bind()
                bound.append((one.name, "\(ListenAddress(host: one.address.host, port: port))", port))
            } catch {
                await stop()
                throw Privileges.Failure(description: "listen.\(one.name) \(one.address) cannot be bound: \(error). Stop what listens there, or name another address")
            }
        }
        return bound
    }

    func accept() async throws { for one in servers { try await one.server.accept() } }
    func stop() async { for one in servers { await one.server.stop() } }
}

/// An MTA-STS policy as it is served (RFC 8461 §3.2).
enum PolicyDocument {
    /// nil: the request is for something else.
    static func answer(_ request: WebRequest, _ settings: Settings) -> WebResponse? {
        guard settings[Known.mtaSTSMode].word != .off, request.path == "/.well-known/mta-sts.txt", request.host.hasPrefix("mta-sts.") else { return nil }
        let domain = request.host.dropFirst("mta-sts.".count)
        guard settings[Known.mydestination].contains(where: { $0.text.lowercased() == domain }) else { return .notFound }
        return .text(text(settings))
    }

    static func text(_ settings: Settings) -> String {
        let named = settings[Known.mtaSTSMX]
        let hosts = named.isEmpty ? [settings[Known.myhostname].text] : named
        return (["version: STSv1", "mode: \(settings[Known.mtaSTSMode].word.rawValue)"] + hosts.map { "mx: \($0)" } + ["max_age: \(settings[Known.mtaSTSMaxAge].seconds)"])
            .map { $0 + "\r\n" }.joined()
    }
}
