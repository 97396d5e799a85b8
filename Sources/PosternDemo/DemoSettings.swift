import Foundation
import PosternDaemon
import TLS

/// Writes the two gateways' folders: zone, keys, certificate, settings file, as an operator would have them.
struct DemoSettings {
    let folder: String
    let world: DemoWorld
    let ports: LoopbackPorts
    let policies: String

    /// - Returns: the settings file of the domain's gateway.
    func write(_ domain: DemoWorld.Domain, withMilter: Bool) throws -> String {
        let own = folder + "/" + domain.name
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try write(try world.zone(), own + "/zone.txt", mode: 0o644)
        let certificate = try SelfSignedCertificate.generate(names: ["mail.\(domain.name)", "localhost", domain.address], days: 30)
        try write(certificate.certificatePEM, own + "/certificate.pem", mode: 0o644)
        try write(certificate.privateKeyPEM, own + "/certificate.key", mode: 0o600)
        for key in domain.keys { try write(key.pem, own + "/\(key.selector).key", mode: 0o600) }
        try write(text(domain, withMilter: withMilter), own + "/postern.toml", mode: 0o644)
        return own + "/postern.toml"
    }

    private func text(_ domain: DemoWorld.Domain, withMilter: Bool) -> String {
        """
        # Written by `postern demo` for \(domain.name).
        myhostname = "mail.\(domain.name)"
        mydestination = ["\(domain.name)"]
        mynetworks = ["\(domain.address)/32"]
        recipient_delimiter = "+"
        data_directory = "data"
        policy_directory = "\(policies)"
        smtpd_tls_cert_file = "certificate.pem"
        smtpd_tls_key_file = "certificate.key"
        smtp_bind_address = "\(domain.address)"
        smtp_port = \(ports.smtp)
        queue_minfree = 1000000
        log_level = "warning"

        [listen]
        smtp = ["\(domain.address):\(ports.smtp)"]
        submission = ["\(domain.address):\(ports.submission)"]
        submissions = ["\(domain.address):\(ports.submissions)"]
        imap = ["\(domain.address):\(ports.imap)"]
        imaps = ["\(domain.address):\(ports.imaps)"]
        milter = "\(withMilter ? "inet:localhost:\(ports.milter)" : "")"

        [dns]
        zone_file = "zone.txt"
        offline = true


        """ + domain.keys.map { key in
            "[[dkim]]\ndomain = \"\(domain.name)\"\nselector = \"\(key.selector)\"\nkey_file = \"\(key.selector).key\"\n"
        }.joined(separator: "\n")
    }

    private func write(_ text: String, _ path: String, mode: Int) throws {
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]) else {
            throw DemoFailure("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
