import BlockingPool
import Foundation
import NetworkAddress
import TLS

/// Looks at the certificate and key that the settings name.
public struct CertificateFileCheck: Sendable {
    private let certificate: String
    private let key: String
    private let host: DomainName
    private let trust: TLSTrust
    private let now: Int64

    /// - Parameter key: empty: in the certificate's own file.
    public init(certificate: String, key: String, host: DomainName, trust: TLSTrust, now: Int64) {
        self.certificate = certificate
        self.key = key.isEmpty ? certificate : key
        self.host = host
        self.trust = trust
        self.now = now
    }

    /// Reads the files; blocks.
    public func run() -> [CheckFinding] {
        do {
            let chain = try InspectedCertificate.chain(pemFile: certificate)
            let faults = CertificateJudge(host: host, now: now, trust: trust).faults(chain).map { CheckFinding($0, certificate, certificate) }
            return faults.isEmpty ? [CheckFinding("certificate", certificate, .ok, .receiving, "\(certificate) is for \(host) and valid until \(CertificateJudge.day(chain[0].notAfter))")] : faults
        } catch {
            return [CheckFinding("certificate", certificate, .wrong, .safety, "\(error)", remedy: "name a certificate chain in PEM form in smtpd_tls_cert_file, readable by the user that postern runs as",
                                 why: "without it there is no TLS and nobody can log in")]
        }
    }

    /// What ports of this machine show: the file's own certificate, unless the server was not told of a new one. Blocks.
    public func shown(_ ports: [(port: CertificatePort, address: IPAddress)]) -> [CheckFinding] {
        let own = (try? InspectedCertificate.chain(pemFile: certificate))?.first
        var others: [String: [String]] = [:], silent: [CheckFinding] = []
        for (port, address) in ports {
            let place = LineConnection.Place.inet(address, port.port), name = "\(port.name) \(port.port)"
            do {
                let shown = try ShownCertificate.fetch(place, port.greeting, serverName: host.text, within: .seconds(5)).first
                guard let shown, let own, shown != own else { continue }
                others["until \(CertificateJudge.day(shown.notAfter)), for \(shown.names.prefix(4).joined(separator: ", "))", default: []].append(name)
            } catch {
                silent.append(CheckFinding("certificate-shown", name, .wrong, .receiving, "\(name) shows no certificate: \(error)", remedy: "look at the server's log"))
            }
        }
        let stale = others.sorted { $0.key < $1.key }.map { what, names in
            CheckFinding("certificate-shown", names.joined(separator: ", "), .wrong, .receiving, "\(names.joined(separator: ", ")) show\(names.count == 1 ? "s" : "") another certificate than \(certificate) holds: \(what)",
                         remedy: "reload the server: systemctl reload postern, or kill -HUP")
        }
        let all = silent + stale
        return all.isEmpty ? [CheckFinding("certificate-shown", certificate, .ok, .receiving, "the ports show the certificate of the file")] : all
    }

    /// Whether the key can be used with the certificate. Reads the files; blocks.
    public func keyFindings() -> [CheckFinding] {
        do {
            _ = try TLSContext.server(certificateChain: certificate, privateKey: key)
            return [CheckFinding("certificate-key", key, .ok, .safety, "\(key) belongs to the certificate")]
        } catch {
            guard case .keyDoesNotMatch = error else {
                return [CheckFinding("certificate-key", key, .wrong, .safety, "\(error)", remedy: "name the certificate's private key in smtpd_tls_key_file", why: "the server does not start without it")]
            }
            return [CheckFinding("certificate-key-match", key, .wrong, .safety, "\(error)", remedy: "name the certificate and the key that were issued together", why: "the server does not start without it")]
        }
    }
}
