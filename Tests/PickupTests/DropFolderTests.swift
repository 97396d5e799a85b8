import Foundation
import InternetMessage
@testable import Pickup
import Testing

@Suite struct DropFolderTests {
    private func withFolder(_ work: (DropFolder) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "postern-drop-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = DropFolder(path: path)
        try folder.prepare()
        try work(folder)
    }

    private let envelope = DropEnvelope(sender: EmailAddress("a@x.example"), senderParameters: ["RET": "FULL"],
                                        recipients: [.init(EmailAddress("b@x.example")!, parameters: ["NOTIFY": "NEVER"])], fullName: "A \" name\n")

    private func names(_ folder: DropFolder) throws -> [String] { try folder.names(limit: .max) }
    private func read(_ folder: DropFolder, _ name: String, limit: Int = 1000) throws -> DroppedMessage { try folder.read(name, sizeLimit: limit, spoolFolder: NSTemporaryDirectory()) }

    @Test func whatIsPutIsRead() throws {
        try withFolder { folder in
            try folder.put(envelope, content: Array("Subject: x\r\n\r\nbody\r\n".utf8))
            let name = try #require(names(folder).first)
            let mail = try read(folder, name)
            #expect(mail.envelope.sender == envelope.sender && mail.envelope.recipients == envelope.recipients)
            #expect(mail.envelope.senderParameters == ["RET": "FULL"] && mail.envelope.fullName == "A \" name\n")
            #expect(try mail.message.bytes() == Array("Subject: x\r\n\r\nbody\r\n".utf8))
            #expect(mail.userID == getuid())
        }
    }

    @Test func theFolderIsClosedToReadersAndOpenToWriters() throws {
        try withFolder { folder in
            var facts = stat()
            #expect(stat(folder.path, &facts) == 0 && facts.st_mode & 0o7777 == 0o3733)
            try folder.put(envelope, content: [])
            #expect(try stat(folder.path + "/" + #require(names(folder).first), &facts) == 0 && facts.st_mode & 0o7777 == 0o640)
        }
    }

    @Test func aLargeBodyComesWhole() throws {
        try withFolder { folder in
            let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 % 251) }
            try folder.put(envelope, content: Array("A: b\r\n\r\n".utf8) + body)
            let mail = try read(folder, #require(names(folder).first), limit: 2_000_000)
            #expect(mail.message.body.isInFile)
            #expect(try mail.message.body.bytes() == body)
        }
    }

    private func file(_ folder: DropFolder, _ text: String, mode: mode_t = DropFolder.ready) throws -> String {
        let name = DropFolder.freshName()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        chmod(folder.path + "/" + name, mode)
        return name
    }

    @Test(arguments: [
        "", "x", "{}\n", #"{"postern":2,"commands":[],"size":0}"# + "\n", #"{"postern":1,"commands":["MAIL FROM:<a@x.example>"],"size":0}"# + "\n",
        #"{"postern":1,"commands":["MAIL FROM:<a@x.example>","RCPT TO:<b@x.example>\r\nDATA"],"size":0}"# + "\n",
        #"{"postern":1,"commands":["MAIL FROM:<a@x.example> FOO=1","RCPT TO:<b@x.example>"],"size":0}"# + "\n",
        #"{"postern":1,"commands":["MAIL FROM:<a@x.example>","RCPT TO:<b@x.example>"],"size":10}"# + "\nshort",
        #"{"postern":1,"commands":["MAIL FROM:<a@x.example>","RCPT TO:<b@x.example>"],"size":-1}"# + "\nshort",
    ])
    func whatOurCommandDidNotMakeIsDamaged(_ text: String) throws {
        try withFolder { folder in
            let name = try file(folder, text)
            #expect { try read(folder, name) } throws: { if case .damaged? = $0 as? DropError { true } else { false } }
        }
    }

    @Test func aFileThatIsNotWholeIsLeftAlone() throws {
        try withFolder { folder in
            let name = try file(folder, "{", mode: 0o600)
            #expect(throws: DropError.notReady) { try read(folder, name) }
            #expect(try folder.abandoned(before: Date(timeIntervalSinceNow: -60)).isEmpty)
            #expect(try folder.abandoned(before: Date(timeIntervalSinceNow: 60)) == [name])
        }
    }

    @Test func linksPipesAndSecondNamesAreNotFollowed() throws {
        try withFolder { folder in
            let real = try file(folder, "{}\n")
            symlink("/etc/passwd", folder.path + "/d-link")
            mkfifo(folder.path + "/d-pipe", 0o640)
            link(folder.path + "/" + real, folder.path + "/d-second")
            mkdir(folder.path + "/d-folder", 0o640)
            for name in ["d-link", "d-pipe", "d-second", "d-folder"] {
                #expect { try read(folder, name) } throws: { if case .damaged? = $0 as? DropError { true } else { false } }
            }
        }
    }

    @Test func tooLarge() throws {
        try withFolder { folder in
            try folder.put(envelope, content: Array(repeating: 65, count: 101))
            #expect(throws: DropError.tooLarge(limit: 100)) { try read(folder, #require(names(folder).first), limit: 100) }
        }
    }

    @Test func namesLeadNowhereElse() {
        for name in ["../d-x", "d-../x", "d-x/y", "x", "d-X", ".", ""] { #expect(!DropFolder.isName(name), "\(name)") }
        #expect(DropFolder.isName(DropFolder.freshName()))
        #expect(DropFolder.freshName() != DropFolder.freshName())
    }
}
