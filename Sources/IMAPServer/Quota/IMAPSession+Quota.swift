import IMAPCore
import MailStore

// QUOTA (RFC 9208) with the one resource STORAGE. All of an account's mailboxes share one root.
extension IMAPSession {
    private static let root = "User quota"

    func quotaCommand(_ command: Command, _ tag: String, _ mailboxes: Mailboxes) throws(StoreError) {
        guard let source = environment.quota else { return respond(tag, .bad("there are no quotas here")) }
        let quota: AccountQuota?
        do { quota = try source.quota(of: account?.name ?? "") } catch let error as StoreError { throw error } catch {
            return respond(tag, .no("the quota is not known now", code: .unavailable))
        }
        switch command {
        case .getQuota(let root):
            guard root == Self.root, let quota else { return respond(tag, .no("there is no such quota root", code: .nonExistent)) }
            respond(quota)
        case .getQuotaRoot(let name):
            // RFC 9208 §4.1.2: the mailbox need not exist; but it has a name.
            _ = try folderName(name)
            respond(.quotaRoot(name, roots: quota == nil ? [] : [Self.root]))
            if let quota { respond(quota) }
        default: return respond(tag, .no("the administrator sets limits", code: .noPerm))
        }
        finish(tag)
    }

    /// In units of 1,024 octets, rounded up, so that a little mail does not look like none.
    private func respond(_ quota: AccountQuota) {
        respond(.quota(root: Self.root, [QuotaResource("STORAGE", used: (quota.used + 1023) / 1024, limit: quota.limit / 1024)]))
    }
}
