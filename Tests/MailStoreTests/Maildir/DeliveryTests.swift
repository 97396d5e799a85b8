import Foundation
import InternetMessage
import Testing
@testable import MailStore

@Suite struct DeliveryTests {
    @Test func aDeliveredFileHasLineFeedsAndSaysItsSizes() throws {
        let temporary = try TemporaryStore()
        let file = try temporary.store.deliver(
            Message(parsing: Array("Subject: hello\r\n\r\none\r\ntwo\r\n".utf8)),
            prepending: [HeaderField(name: "Return-Path", value: "<a@b.example>")], to: temporary.account)
        let onDisk = "Return-Path: <a@b.example>\nSubject: hello\n\none\ntwo\n"
        #expect(try temporary.text(file.path) == onDisk)
        #expect(file.path.contains("/Maildir/new/"))
        #expect(file.path.hasSuffix(",S=\(onDisk.utf8.count),W=\(onDisk.utf8.count + 5)"))
        #expect(temporary.names("tmp").isEmpty)
    }

    @Test func flagsAndKeywordsPutTheFileIntoCur() throws {
        let temporary = try TemporaryStore()
        let file = try temporary.deliver(folder: "Junk", keywords: ["$Junk"], flags: [.seen])
        #expect(file.path.contains("/.Junk/cur/"))
        #expect(file.path.hasSuffix(":2,Sa"))
        #expect(try temporary.text(temporary.maildir + "/.Junk/dovecot-keywords") == "0 $Junk\n")
    }

    @Test(arguments: ["a\r\nb\r\n", "", "\r\n", "no end", "bare\rcr\r\n", "x\r\r\ny\r\n", "lone\nfeed\r\n", "end\r"])
    func whatIsWrittenReadsBackWithTheSizeInTheName(body: String) throws {
        // Every split of the input into two pieces, so that a CR LF is cut as well.
        let bytes = Array(body.utf8)
        for cut in 0...bytes.count {
            let temporary = try TemporaryStore()
            let inbox = try temporary.inbox()
            var writer = try inbox.beginAppend()
            try writer.append(Array(bytes[..<cut]))
            try writer.append(Array(bytes[cut...]))
            let uid = try #require(try inbox.commit(writer).uids.first)
            let read = try inbox.open(uid: uid).bytes()
            #expect(try inbox.details(of: [uid]).first?.size == read.count)
            if !body.contains("\r\r") { #expect(read == LineEnds.toCRLF(bytes)) }
        }
    }

    @Test func aLargeBodyPassesThroughTheBufferUnharmed() throws {
        let temporary = try TemporaryStore()
        let line = String(repeating: "x", count: 997) + "\r\n"
        let body = String(repeating: line, count: 2_000)
        try temporary.deliver("Subject: large\r\n\r\n" + body)
        let inbox = try temporary.inbox()
        let uid = try #require(try inbox.refresh().messages.first?.uid)
        var reader = try inbox.open(uid: uid).reader()
        try reader.skip(to: 18)
        var read: [UInt8] = []
        while let piece = try reader.next() {
            #expect(piece.count <= MessageReader.pieceSize)
            read += piece
        }
        #expect(read == Array(body.utf8))
    }

    @Test func anUncommittedMessageLeavesNothing() throws {
        let temporary = try TemporaryStore()
        do {
            var writer = try temporary.inbox().beginAppend()
            try writer.append(Array("half".utf8))
        }
        #expect(temporary.names("tmp").isEmpty)
        #expect(temporary.names("new").isEmpty)
    }

    @Test(arguments: ["", ".", "..", "a/b", "../x", "a\u{0}b", ".hidden", String(repeating: "x", count: 256)])
    func accountNamesCannotLeaveTheRoot(name: String) throws {
        let temporary = try TemporaryStore()
        #expect { try temporary.store.maildir(for: name) } throws: { error in
            if case StoreError.invalidName = error { true } else { false }
        }
    }

    @Test func aSymbolicLinkIsNoAccount() throws {
        let temporary = try TemporaryStore()
        try FileManager.default.createSymbolicLink(atPath: temporary.root + "/eve", withDestinationPath: "/tmp")
        #expect(throws: StoreError.self) { try temporary.store.maildir(for: "eve") }
    }

    @Test func concurrentDeliveriesAllArrive() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store, account = temporary.account
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask { _ = try store.deliver(Message(parsing: Array("Subject: \(index)\r\n\r\n".utf8)), to: account) }
            }
            try await group.waitForAll()
        }
        let snapshot = try temporary.inbox().refresh()
        #expect(snapshot.messages.count == 40)
        #expect(snapshot.messages.map(\.uid) == Array(1...40))
    }
}
