import Foundation
import InternetMessage
import NIOPosix
import SMTPClient
import SMTPCore

/// The demo's five scenes. Each sends one message and says what became of it, and what should have.
struct DemoScenes: Sendable {
    let world: DemoWorld
    let ports: LoopbackPorts
    let group: MultiThreadedEventLoopGroup
    let alice: String
    let alicePassword: String
    let bob: String
    let aliceMail: DeliveredMail
    let bobMail: DeliveredMail

    /// In their order: later scenes build on what earlier ones taught the ledger.
    func all() async throws -> [DemoRow] {
        [try await honest(), try await forged(), try await firstUse(), try await leak(), try await submission()]
    }

    private func honest() async throws -> DemoRow {
        let (result, id) = try await send(as: world.shop, to: alice, subject: "Your order has left", signed: true)
        let found = await delivered(result, id, aliceMail)
        return row("an honest message, signed by shop.example", result, found, expecting: "spf=pass dkim=pass dmarc=pass")
    }

    private func forged() async throws -> DemoRow {
        let (result, _) = try await send(as: world.forger, author: "Shop <news@shop.example>", to: alice, subject: "Your account is locked", signed: false)
        let refused = result.kind == .permanent && result.reply?.code == 550
        return DemoRow(what: "the same sender forged (its DMARC says reject)", answer: answer(result), found: result.reply?.text ?? result.text,
                       complaint: refused ? nil : "550 at the end of data")
    }

    private func firstUse() async throws -> DemoRow {
        let (result, id) = try await send(as: world.shop, to: tagged, subject: "Welcome", signed: true)
        let found = await delivered(result, id, aliceMail, withTag: true)
        return row("shop.example writes to the tag it was given", result, found, expecting: "tag new; tag=shop; owner=shop.example")
    }

    private func leak() async throws -> DemoRow {
        let (result, id) = try await send(as: world.trader, to: tagged, subject: "Cheap watches", signed: true)
        let found = await delivered(result, id, aliceMail, withTag: true)
        return row("trader.example writes to the same tag", result, found, expecting: "tag leaked; tag=shop; by=trader.example")
    }

    /// Through the submission port with a log-in; the copy must arrive at the other domain's gateway, signed.
    private func submission() async throws -> DemoRow {
        let id = "\(UUID().uuidString)@\(world.home.name)"
        let message = DemoSender.message(from: "Alice <\(alice)>", to: bob, subject: "Lunch?", id: id, text: "At noon?")
        let result = try await DemoSender(group: group, domain: world.home).send(
            message, from: try address(alice), to: try address(bob), host: world.home.address, port: ports.submission,
            login: ClientCredentials(user: alice, password: alicePassword))
        let found = await delivered(result, id, bobMail)
        return row("alice submits; signed, relayed to work.example", result, found, expecting: "spf=pass dkim=pass dmarc=pass")
    }

    // MARK: Parts

    private var tagged: String { alice.replacingOccurrences(of: "@", with: "+shop@") }

    private func send(as domain: DemoWorld.Domain, author: String? = nil, to recipient: String, subject: String, signed: Bool) async throws -> (RecipientResult, String) {
        let sender = DemoSender(group: group, domain: domain)
        let id = "\(UUID().uuidString)@\(domain.name)"
        let plain = DemoSender.message(from: author ?? "News <news@\(domain.name)>", to: recipient, subject: subject, id: id, text: subject + ".")
        let message = signed ? try sender.signed(plain) : plain
        let result = try await sender.send(message, from: try address("news@\(domain.name)"), to: try address(recipient), host: world.home.address, port: ports.smtp)
        return (result, id)
    }

    private func delivered(_ result: RecipientResult, _ id: String, _ mail: DeliveredMail, withTag: Bool = false) async -> String {
        guard result.kind == .delivered else { return result.text }
        guard let message = await mail.find(id) else { return "it did not arrive" }
        guard withTag else { return DeliveredMail.verdicts(of: message) }
        return "tag " + (message.header.first("X-Postern-Tag")?.value ?? "unknown")
    }

    private func row(_ what: String, _ result: RecipientResult, _ found: String, expecting expected: String) -> DemoRow {
        let good = result.kind == .delivered && found.hasPrefix(expected)
        return DemoRow(what: what, answer: answer(result), found: found, complaint: good ? nil : "250 and " + expected)
    }

    private func answer(_ result: RecipientResult) -> String {
        guard let reply = result.reply else { return "none" }
        return "\(reply.code)" + (reply.enhancedCode.map { " " + $0 } ?? "")
    }

    private func address(_ text: String) throws -> EmailAddress {
        guard let address = EmailAddress(text) else { throw DemoFailure("\(text) is no address") }
        return address
    }
}
