import Foundation
import NetworkAddress
import PublishedRecords
import TLS

/// A port that shows a certificate.
public struct CertificatePort: Sendable, Hashable {
    /// `submissions`
    public let name: String
    public let port: UInt16
    public let greeting: TLSGreeting

    public init(name: String, port: UInt16, greeting: TLSGreeting) {
        self.name = name
        self.port = port
        self.greeting = greeting
    }
}

extension CheckFinding {
    init(_ fault: CertificateJudge.Fault, _ subject: String, _ place: String) {
        self.init(fault.check, subject, fault.isWrong ? .wrong : .note, .receiving, "\(place): \(fault.text)", remedy: fault.remedy,
                  why: "mail clients and strict servers refuse to talk to us")
    }
}

extension DNSCheckup {
    /// What the ports show the world, at our public addresses.
    public func certificateChecks(_ ports: [CertificatePort]) -> [CheckTask] {
        guard options.usesNetwork, let address = setup.addresses.first else { return [] }
        return ports.map { port in CheckTask("certificate on \(address) port \(port.port)", .receiving) { await shown(port, address) } }
    }

    private func shown(_ port: CertificatePort, _ address: IPAddress) async -> [CheckFinding] {
        let place = LineConnection.Place.inet(address, port.port), host = setup.hostname, time = options.connectionTime
        let judge = CertificateJudge(host: host, now: now(), trust: options.trust)
        do {
            let faults = try await pool.run { judge.faults(try ShownCertificate.fetch(place, port.greeting, serverName: host.text, within: time)) }
            guard !faults.isEmpty else { return [CheckFinding("certificate-shown", "\(place)", .ok, .receiving, "\(port.name) at \(place) shows a certificate that is well")] }
            return faults.map { CheckFinding($0, "\(place)", "\(port.name) at \(place)") }
        } catch {
            // From inside, one's own public address may be out of reach: postern doctor asks the ports themselves.
            return [CheckFinding("certificate-shown", "\(place)", .unknown, .receiving, "\(port.name) at \(place) could not be asked for its certificate: \(error)")]
        }
    }
}
