import InternetMessage
import Milter
import NetworkAddress

/// The macros that a milter is told, as Postfix provides them (`milter_connect_macros` and its kin).
struct MilterMacros: Sendable {
    let hostname: String
    var connection = ConnectionFacts(listener: "")
    var recipient: EnvelopeRecipient?
    private var id = ""
    private var sender: EnvelopeSender?

    init(hostname: String) { self.hostname = hostname }

    mutating func begin(_ transaction: Transaction) {
        id = transaction.id
        sender = transaction.sender
        connection = transaction.connection
        recipient = nil
    }

    /// Stage numbers of SMFIC_OPTNEG's macro lists (SMFIM_*).
    private static func number(_ stage: MilterCommandCode) -> UInt32? {
        switch stage {
        case .connect: 0
        case .helo: 1
        case .mail: 2
        case .rcpt: 3
        case .data: 4
        case .endOfMessage: 5
        case .endOfHeaders: 6
        default: nil
        }
    }

    private static func defaults(_ stage: MilterCommandCode) -> [String] {
        switch stage {
        case .connect: ["j", "{daemon_name}", "{daemon_addr}", "v", "_"]
        case .helo: ["{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"]
        case .mail: ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}", "{mail_mailer}"]
        case .rcpt: ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"]
        case .data, .endOfMessage, .endOfHeaders: ["i"]
        default: []
        }
    }

    /// SMFIC_MACRO for the stage, or nil when there is nothing to say.
    func packet(for stage: MilterCommandCode, _ terms: MilterTerms) -> [UInt8]? {
        let names = Self.number(stage).flatMap { terms.macros[$0] } ?? Self.defaults(stage)
        let known = names.compactMap { name in value(of: name).map { (name, $0) } }
        guard !known.isEmpty else { return nil }
        var packet = MilterPacketWriter(.macro)
        packet.raw([stage.rawValue])
        for (name, value) in known {
            packet.text(name)
            packet.text(value)
        }
        return packet.finish()
    }

    private func value(of name: String) -> String? {
        switch name.hasPrefix("{") ? String(name.dropFirst().dropLast()) : name {
        case "j": hostname
        case "v": "postern"
        case "_": connection.statedAddress.map { "\(connection.statedName ?? "unknown") [\($0)]" } ?? "localhost"
        case "i": id.isEmpty ? nil : id
        case "daemon_name": connection.daemonName.isEmpty ? hostname : connection.daemonName
        case "daemon_addr", "if_addr": connection.localAddress?.description
        case "daemon_port": connection.localPort.map(String.init)
        case "client_addr": connection.statedAddress?.description
        case "client_name", "client_ptr": connection.statedName ?? "unknown"
        case "client_port": connection.isMadeHere ? "0" : connection.clientPort.map(String.init)
        case "tls_version": connection.tls?.version
        case "cipher": connection.tls?.cipher
        case "server_name": connection.tls?.serverName
        case "cipher_bits": connection.tls.map { String($0.cipherBits) }
        case "auth_type": connection.authenticationMechanism
        case "auth_authen": connection.authenticatedUser
        case "auth_author": sender?.parameters["AUTH"].flatMap { $0 == "<>" ? nil : $0 }
        case "mail_addr": sender.map { $0.address?.description ?? "" }
        case "mail_host": sender?.address?.domainText
        case "mail_mailer", "rcpt_mailer": "smtp"
        case "rcpt_addr": recipient?.address.description
        case "rcpt_host": recipient?.address.domainText
        default: nil
        }
    }
}

/// What a milter is told of the client: of mail made on this machine what Postfix says of it.
extension ConnectionFacts {
    var isMadeHere: Bool { listener == "local" && clientAddress == nil }
    var statedAddress: IPAddress? { isMadeHere ? .v4Loopback : clientAddress }
    var statedName: String? { isMadeHere ? "localhost" : clientName }
}
