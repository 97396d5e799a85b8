import InternetMessage
import Milter
import NetworkAddress
import Testing

@Suite struct ModificationTests {
    private func names(_ transaction: Transaction) -> [String] { transaction.message.header.fields.map { "\($0.name):\($0.value)" } }

    @Test(arguments: [(-1, 0), (0, 0), (1, 1), (2, 2), (99, 2)])
    func insertionCountsFromTheTopAndStaysInside(_ index: Int, _ place: Int) {
        var message = transaction([field("A", "1"), field("B", "2")])
        message.apply(.insertHeader(index: index, field("N", "n")))
        #expect(message.message.header.fields.firstIndex { $0.isNamed("N") } == place)
    }

    @Test func additionGoesBelowTheOthers() {
        var message = transaction([field("A", "1")])
        message.apply(.addHeader(field("N", "n")))
        #expect(names(message) == ["A:1", "N:n"])
    }

    @Test func changeTakesTheRightOccurrenceWhateverTheCase() {
        var message = transaction([field("Dup", "1"), field("Other", "x"), field("DUP", "2"), field("dup", "3")])
        message.apply(.changeHeader(name: "dUp", occurrence: 2, field("Dup", "new")))
        #expect(names(message) == ["Dup:1", "Other:x", "Dup:new", "dup:3"])
    }

    @Test func occurrencesAreCountedAnewAfterADeletion() {
        var message = transaction([field("Dup", "1"), field("Dup", "2"), field("Dup", "3")])
        message.apply(.changeHeader(name: "Dup", occurrence: 1, nil))
        message.apply(.changeHeader(name: "Dup", occurrence: 1, nil))
        #expect(names(message) == ["Dup:3"])
    }

    @Test(arguments: [0, 2])
    func changeOfAnOccurrenceThatIsNotThereAddsAndDeletionDoesNothing(_ occurrence: Int) {
        var message = transaction([field("Dup", "1")])
        message.apply(.changeHeader(name: "Dup", occurrence: occurrence, nil))
        #expect(names(message) == ["Dup:1"])
        message.apply(.changeHeader(name: "Dup", occurrence: occurrence, field("Dup", "2")))
        #expect(names(message) == ["Dup:1", "Dup:2"])
    }

    @Test func recipientsAreAddedOnceAndRemoved() throws {
        let a = try #require(EmailAddress("a@example.net")), b = try #require(EmailAddress("b@example.net"))
        var message = transaction()
        message.recipients = [EnvelopeRecipient(a)]
        message.apply(.addRecipient(EnvelopeRecipient(a)))
        message.apply(.addRecipient(EnvelopeRecipient(b, parameters: ["NOTIFY": "NEVER"])))
        #expect(message.recipients == [EnvelopeRecipient(a), EnvelopeRecipient(b, parameters: ["NOTIFY": "NEVER"])])
        message.apply(.removeRecipient(a))
        #expect(message.recipients.map(\.address) == [b])
    }

    @Test func senderBodyAndQuarantine() throws {
        var message = transaction()
        message.apply(.changeSender(EnvelopeSender(nil, parameters: ["RET": "HDRS"])))
        message.apply(.replaceBody(MessageBody(Array("new".utf8))))
        message.apply(.quarantine("why"))
        #expect(message.sender == EnvelopeSender(nil, parameters: ["RET": "HDRS"]))
        #expect(try message.message.body.bytes() == Array("new".utf8))
        #expect(message.quarantineReason == "why")
        #expect(message.modifications.count == 3)
    }

    @Test func resultsAreTypedByTheirKey() {
        enum Count: TransactionResultKey { typealias Value = Int }
        enum Name: TransactionResultKey { typealias Value = String }
        var message = transaction()
        #expect(message[Count.self] == nil)
        message[Count.self] = 3
        message[Name.self] = "n"
        #expect(message[Count.self] == 3 && message[Name.self] == "n")
    }

    @Test func theOriginalRecipientStaysWhenItsAddressChanges() throws {
        let said = try #require(EmailAddress("a+tag@example.net")), base = try #require(EmailAddress("a@example.net"))
        var recipient = EnvelopeRecipient(said)
        recipient.address = base
        #expect(recipient.original == said)
    }

    @Test func mailIsOursByLogInOrNetworkAndNotByTheDaemonsName() {
        #expect(!ConnectionFacts(listener: "milter", daemonName: "ORIGINATING").isOriginating)
        #expect(ConnectionFacts(listener: "milter", isOwnNetwork: true).isOriginating)
        #expect(ConnectionFacts(listener: "milter", authenticatedUser: "alice").isOriginating)
    }

    @Test func stagesStandInProtocolOrder() {
        #expect(MilterStage.allCases == MilterStage.allCases.sorted())
        #expect(MilterStage.connect < .helo && MilterStage.body < .endOfMessage)
    }
}
