import Foundation
import Testing
@testable import PosternDaemon

/// Rules that lead mail to an address of ours that nobody has.
extension GatewayTests {
    private func installation(_ rule: String) throws -> Installation {
        let installation = try Installation()
        try installation.write("policies/a.policy", "stage rcpt\nrule \"r\" \(rule)\n")
        return installation
    }

    /// What no account has is told before mail comes; what one has, and what is elsewhere, is not spoken of.
    @Test(arguments: [
        ("copy to \"archve@home.example\"", "copy to <archve@home.example>: nobody here has that address; the copy gets lost"),
        ("redirect to \"archve@home.example\"", "redirect to <archve@home.example>: nobody here has that address; mail that it matches is put off (451)"),
        ("change recipient to \"archve@home.example\"", "change recipient to <archve@home.example>: nobody here"),
        ("copy to \"alice+archive@home.example\"", nil), ("redirect to \"archve@away.example\"", nil),
    ] as [(String, String?)])
    func aMistypedTargetIsToldByCheck(_ action: String, _ note: String?) async throws {
        let installation = try installation("then \(action)")
        try await running(installation) { _, _ in }
        let notes = try LiveParts.check(try SettingsFile.load(installation.file)).filter { $0.contains("a.policy") }
        #expect(notes.count == (note == nil ? 0 : 1), "\(notes)")
        if let note { #expect(notes.first?.contains("a.policy:2: rule \"r\": " + note) == true, "\(notes)") }
    }

    @Test func aCopyForNobodyIsLeftOut() async throws {
        let installation = try installation("then copy to \"archve@home.example\"")
        try await running(installation) { _, port in
            let reply = try await deliver(port)[5]
            #expect(reply.hasPrefix("250"))
            let (stored, queued) = (try installation.inbox(), try installation.queued())
            #expect(stored.count == 1 && queued.isEmpty)
        }
    }

    /// Refused for now, so that the sender keeps it until the rule is mended.
    @Test(arguments: ["redirect", "change recipient"]) func mailLedToNobodyIsPutOff(_ action: String) async throws {
        let installation = try installation("then \(action) to \"archve@home.example\"")
        try await running(installation) { _, port in
            let reply = try await deliver(port)[5]
            #expect(reply.hasPrefix("451"))
            let (stored, queued) = (try installation.inbox(), try installation.queued())
            #expect(stored.isEmpty && queued.isEmpty)
        }
    }

    /// The reply to a tag that the shipped rules hide is the one for an address that does not exist, to the letter.
    @Test func aHiddenTagIsRefusedAsAnUnknownAddress() async throws {
        let installation = try Installation()
        try installation.write("policies/a.policy", String(contentsOfFile: URL(filePath: #filePath).pathUp(4) + "/policies/default.policy", encoding: .utf8))
        try await running(installation) { _, port in
            let unknown = "No.Body+x@home.example", guessed = "Alice+Shop-k7f3q2@home.example"
            let replies = try await deliver(port, to: [unknown, guessed])
            #expect(replies[3] == "550 5.1.1 <\(unknown)>: Recipient address rejected: User unknown")
            #expect(replies[4] == replies[3].replacing(unknown, with: guessed))
        }
    }
}

extension GatewayTests.Installation {
    /// Names of files in the queue.
    func queued() throws -> [String] {
        let all = FileManager.default.enumerator(atPath: folder.path + "/data/queue/messages")
        return (all?.allObjects as? [String] ?? []).filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder.path + "/data/queue/messages/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }
}

extension URL {
    fileprivate func pathUp(_ count: Int) -> String { (0..<count).reduce(self) { url, _ in url.deletingLastPathComponent() }.path }
}
