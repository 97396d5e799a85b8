import Foundation
import Testing
@testable import IMAPServer

/// Folder names as clients see them, and as they lie on disk.
@Suite(.serialized) struct FolderNameTests {
    private func folders(_ server: TestServer) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: server.store.maildirPath(of: "alice")).filter { $0.hasPrefix(".") }.sorted()
    }

    @Test func theSeparatorMayBeADot() async throws {
        try await TestServer.with({ $0.hierarchySeparator = "." }) { server in
            let client = try server.client()
            #expect(try client.run("NAMESPACE").first == "* NAMESPACE ((\"\" \".\")) NIL NIL")
            #expect(try client.run("LIST \"\" \"\"").first == "* LIST (\\Noselect) \".\" \"\"")
            #expect(try client.run("CREATE Work.2026.").last?.hasPrefix("OK") == true)
            #expect(try folders(server).contains(".Work.2026"))
            #expect(try client.run("LIST \"\" Work%").contains { $0.hasSuffix("\".\" Work") })
            #expect(try client.run("LIST \"\" Work.*").first == "* LIST (\\HasNoChildren) \".\" Work.2026")
            #expect(try client.run("SUBSCRIBE Work.2026").last == "OK done")
            #expect(try client.run("LSUB \"\" Work.%").first == "* LSUB () \".\" Work.2026")
            #expect(try client.run("CREATE a/b").last?.hasPrefix("NO [CANNOT]") == true)
            #expect(try client.run("RENAME Work.2026 Old.Work").last == "OK done")
            #expect(try client.run("SELECT Old.Work").last?.hasPrefix("OK") == true)
            #expect(try folders(server).contains(".Old.Work"))
        }
    }

    @Test func theSeparatorIsASlashOtherwise() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("CREATE Work/2026").last?.hasPrefix("OK") == true)
            #expect(try folders(server).contains(".Work.2026"))
            #expect(try client.run("CREATE a.b").last?.hasPrefix("NO [CANNOT]") == true)
        }
    }

    /// RFC 3501 §5.1.3 on the wire and on disk; RFC 9051 §5.1 and RFC 6855 on the wire once the client enabled it.
    @Test func namesInUnicode() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("CREATE Entw&APw-rfe").last?.hasPrefix("OK") == true)
            #expect(try folders(server).contains(".Entw&APw-rfe"))
            #expect(try client.run("LIST \"\" Entw*").first?.hasSuffix(" Entw&APw-rfe") == true)
            #expect(try client.run("ENABLE UTF8=ACCEPT").last == "OK done")
            #expect(try client.run("LIST \"\" Entw*").first?.hasSuffix(" \"Entwürfe\"") == true)
            #expect(try client.run("STATUS \"Entwürfe\" (MESSAGES)").last == "OK done")
        }
    }

    /// RFC 6154: made and subscribed at the first log-in, and not again after their owner deleted them.
    @Test func specialFoldersAreMadeOnce() async throws {
        try await TestServer.with { server in
            var client = try server.client()
            let special = try client.run("LIST (SPECIAL-USE) \"\" *").filter { $0.hasPrefix("* LIST") }
            for use in ["\\Drafts", "\\Sent", "\\Junk", "\\Trash", "\\Archive"] { #expect(special.contains { $0.contains(use) }, "\(use)") }
            #expect(try client.run("LSUB \"\" *").count == special.count + 2)
            #expect(try client.run("DELETE Junk").last == "OK done")
            client = try server.client()
            #expect(try !client.run("LIST \"\" *").contains { $0.hasSuffix("Junk") })
        }
    }
}
