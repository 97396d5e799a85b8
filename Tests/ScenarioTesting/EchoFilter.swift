import InternetMessage
import Milter

/// Says what it sees: adds `X-Facts` fields, runs after the script and so sees its changes.
public struct EchoFilter: MailFilter {
    public let name = "echo"
    public let stages: Set<MilterStage>
    public init(stages: Set<MilterStage> = ScriptFilter.allStages) { self.stages = stages }
    public func makeSession() -> any FilterSession { EchoSession() }
}

private struct EchoSession: FilterSession {
    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let wanted = transaction.message.header.all("X-Tell").map(\.value)
        guard !wanted.isEmpty else { return .continue }
        for text in wanted { transaction.apply(.addHeader(HeaderField(name: "X-Facts", value: fact(text, transaction)))) }
        return .continue
    }

    private func fact(_ name: String, _ transaction: Transaction) -> String {
        let connection = transaction.connection
        switch name {
        case "client": return "\(connection.clientAddress.map(\.description) ?? "-") \(connection.clientPort.map(String.init) ?? "-") \(connection.clientName ?? "-")"
        case "local": return "\(connection.localAddress.map(\.description) ?? "-") \(connection.localPort.map(String.init) ?? "-")"
        case "ours": return "\(connection.isOriginating) \(connection.isOwnNetwork) \(connection.daemonName)"
        case "auth": return "\(connection.authenticatedUser ?? "-") \(connection.authenticationMechanism ?? "-")"
        case "tls": return connection.tls.map { "\($0.version) \($0.cipher) \($0.cipherBits)" } ?? "-"
        case "helo": return transaction.helo
        case "id": return transaction.id
        case "envelope": return envelope(transaction)
        case "header": return transaction.message.header.fields.map { $0.bytes.map { String($0, radix: 16) }.joined(separator: ".") }.joined(separator: "/")
        case "body": return "\(transaction.message.body.count) \(checksum(transaction.message.body))"
        default: return "?"
        }
    }

    private func envelope(_ transaction: Transaction) -> String {
        func text(_ parameters: [String: String]) -> String { parameters.sorted { $0.key < $1.key }.map { "[\($0.key)=\($0.value)]" }.joined() }
        let recipients = transaction.recipients.map { "\($0.address)\(text($0.parameters))" }.joined(separator: ",")
        return "\(transaction.sender.address?.description ?? "<>")\(text(transaction.sender.parameters)) > \(recipients)"
    }

    /// The sum of the octets, each times its place from 1, modulo 2^32.
    private func checksum(_ body: MessageBody) -> UInt32 {
        var sum: UInt32 = 0, place: UInt32 = 0
        try? body.forEachChunk { for octet in $0 { place &+= 1; sum &+= place &* UInt32(octet) } }
        return sum
    }
}
