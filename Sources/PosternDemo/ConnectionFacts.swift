import Foundation

/// What a mail client needs to know.
struct ConnectionFacts: Encodable {
    let host: String
    let smtp_port: Int
    let submission_port: Int
    let submissions_port: Int
    let imap_port: Int
    let imaps_port: Int
    let milter_port: Int
    let user: String
    let password: String
    let second_user: String
    let ca_file: String
    let data_dir: String
    let zone_file: String

    init(_ world: DemoWorld, _ ports: LoopbackPorts, alice: String, password: String, bob: String, folder: String) {
        host = world.home.address
        smtp_port = ports.smtp
        submission_port = ports.submission
        submissions_port = ports.submissions
        imap_port = ports.imap
        imaps_port = ports.imaps
        milter_port = ports.milter
        user = alice
        self.password = password
        second_user = bob
        data_dir = "\(folder)/\(world.home.name)"
        ca_file = data_dir + "/certificate.pem"
        zone_file = data_dir + "/zone.txt"
    }

    var text: String {
        """
        Read and write this mail with your own client:
          host             \(host)
          IMAP             port \(imap_port) with STARTTLS, \(imaps_port) with TLS
          outgoing mail    port \(submission_port) with STARTTLS, \(submissions_port) with TLS
          user             \(user)
          password         \(password)
          certificate      self-signed: \(ca_file)
          mail from others port \(smtp_port);  milter inet:localhost:\(milter_port)
          settings         \(data_dir)/postern.toml
        Serving until you press Ctrl-C.
        """
    }

    /// Complete or not at all: a reader may be waiting for it.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
