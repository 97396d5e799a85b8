import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress
import Policy

/// A message at its end, from a stranger or from one of ours.
func transaction(_ header: String, account: String? = nil, own: Bool = false, to recipients: [String] = ["alice@home.example"]) -> Transaction {
    var facts = ConnectionFacts(clientAddress: IPAddress("192.0.2.1"), listener: account == nil ? "smtp" : "submission", isOwnNetwork: own)
    facts.authenticatedUser = account
    let parsed = MessageHeader.parse(Array((header + "\r\n\r\n").utf8)[...]).header
    return Transaction(id: "ID1", connection: facts, helo: "h.example", sender: EnvelopeSender(EmailAddress("s@a.example")),
                       recipients: recipients.compactMap { EmailAddress($0).map { EnvelopeRecipient($0) } },
                       message: Message(header: parsed, body: MessageBody(Array("hello\r\n".utf8))))
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// The rules of one text.
func rules(_ text: String) throws -> RuleSet {
    let folder = NSTemporaryDirectory() + "rules-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try text.write(toFile: folder + "/a.policy", atomically: true, encoding: .utf8)
    return try RuleSet.load(folder: folder)
}
