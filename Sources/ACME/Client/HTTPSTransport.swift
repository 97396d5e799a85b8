import DNS
import Foundation
import HTTPSClient
import NetworkAddress

/// The authority over HTTPS.
public struct HTTPSTransport: ACMETransport {
    private let client: HTTPSClient

    /// - Parameter client: its trust decides which authorities are believed.
    public init(client: HTTPSClient) { self.client = client }

    public func send(_ request: ACMERequest) async throws(ACMEFailure) -> ACMEAnswer {
        guard let place = HTTPSPlace(request.url) else { throw ACMEFailure(.protocol, "the authority names '\(request.url.prefix(200))', which is no https URL") }
        var headers = [("Accept", request.wantsCertificate ? "application/pem-certificate-chain" : "application/json, application/problem+json")]
        if request.method == .post { headers.append(("Content-Type", "application/jose+json")) }
        do throws(HTTPSFailure) {
            let answer = try await client.send(.init(method: request.method.rawValue, path: place.path, headers: headers, body: Array(request.body.utf8)),
                                               to: place.host, port: place.port)
            return ACMEAnswer(status: answer.status, headers: answer.headers, body: answer.body)
        } catch {
            throw ACMEFailure(.unreachable, "the authority at \(place.host) does not answer: \(error)")
        }
    }
}
