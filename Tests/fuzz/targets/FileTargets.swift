import Archives
import Foundation
@testable import MailQueue
@testable import MailStore
@testable import Pickup

/// Files that other programs write beside us, or that a stranger's message becomes.
enum FileTargets {
    static let maildir: FuzzTarget = { input in
        let text = String(decoding: input, as: UTF8.self)
        if let list = try? UIDList(parsing: input) {
            let written = list.serialised()
            guard let again = try? UIDList(parsing: written) else { return expect(false, "does not read back: \(written)") }
            expect(again.entries == list.entries && again.uidValidity == list.uidValidity && again.nextUID == list.nextUID, "\(list)\nbecame \(again)")
            expect(zip(list.entries, list.entries.dropFirst()).allSatisfy { $0.uid < $1.uid }, "UIDs out of order")
        }
        let name = MaildirFileName(text)
        let again = MaildirFileName(name.nameInCur)
        expect(again == name, "\(text.debugDescription) is \(name), then \(again)")
        _ = (name.virtualSize, name.physicalSize, Arrival(base: name.base))
        if let log = ModSequenceLog(parsing: input) { _ = log.highest }
        let subscriptions = SubscriptionFile(parsing: input)
        expect(SubscriptionFile(parsing: subscriptions.serialised()) == subscriptions, "\(subscriptions) reads otherwise")
        _ = KeywordFile(parsing: input).serialised()
        _ = MetadataFile(parsing: input).serialised()
    }

    static let queue: FuzzTarget = { input in
        if let head = QueueFile.parseHead(input[...]) {
            expect(head.length <= QueueFile.headLimit && head.contentOffset > 0 && head.journalOffset > head.contentOffset, "\(head)")
        }
        _ = QueueFile.parseJournal(input, recipients: 3)
        _ = try? QueueJSON.decoder().decode(QueueEnvelope.self, from: Data(input))
        if let head = try? JSONDecoder().decode(DropHead.self, from: Data(input)) { _ = try? head.envelope() }
    }

    static let archive: FuzzTarget = { input in
        var limits = ArchiveLimits()
        limits.entries = 50
        limits.bytes = 1 << 20
        limits.time = .milliseconds(500)
        var lister = ArchiveLister(limits: limits)
        lister.look(at: input, named: "a.zip")
        expect(lister.contents.names.count <= 51, "\(lister.contents.names.count) names")
        expect(lister.contents.names.allSatisfy { $0.utf8.count <= limits.nameLength + 4 }, "a long name")
    }
}
