import Foundation
import InternetMessage
@testable import MailStore

/// A store in a folder of its own, removed when the test ends.
final class TemporaryStore {
    let root: String
    let store: MailStore
    let account = "alice@home.example"

    init() throws {
        root = NSTemporaryDirectory() + "mailstore-" + UUID().uuidString
        store = try MailStore(root: root)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var maildir: String { root + "/" + account + "/Maildir" }
    func mailboxes() throws -> Mailboxes { try store.maildir(for: account) }
    func inbox() throws -> Mailbox { try mailboxes().mailbox(.inbox) }

    @discardableResult
    func deliver(_ text: String = "Subject: hello\r\n\r\nbody\r\n", folder: String? = nil, keywords: Set<String> = [], flags: MessageFlags = []) throws -> DeliveredFile {
        try store.deliver(Message(parsing: Array(text.utf8)), to: account, folder: folder, keywords: keywords, flags: flags)
    }

    func names(_ path: String) -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: maildir + "/" + path)) ?? []).sorted() }
    func text(_ path: String) throws -> String { String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self) }
}
