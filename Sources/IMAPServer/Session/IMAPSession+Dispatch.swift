import IMAPCore
import MailStore

extension IMAPSession {
    /// Runs one admitted command and answers it.
    /// - Throws: ``StoreError`` to be answered with NO, or what ends the connection.
    func run(_ command: Command, tag: String) async throws {
        switch command {
        case .capability:
            respond(.capability(capabilities))
            respond(tag, .ok("done"))
        case .noop, .check: finish(tag)
        case .logout:
            bye("good-bye")
            respond(tag, .ok("done"))
        case .id:
            respond(.id([IDField("name", "postern")]))
            respond(tag, .ok("done"))
        case .compress(let mechanism): try await compress(tag, mechanism)
        case .startTLS: try await startTLS(tag)
        case .login(let user, let password): await logIn(tag, user: user, password: password)
        case .authenticate(let mechanism, let initial): try await authenticate(tag, mechanism, initial)
        case .enable(let names): enable(tag, names)
        case .namespace:
            respond(.namespace(personal: [Namespace(prefix: MailboxName(""), delimiter: environment.configuration.hierarchySeparator)], otherUsers: [], shared: []))
            finish(tag)
        case .idle: try await idle(tag)
        case .notify(let request): try notify(tag, request)
        case .select, .examine, .close, .unselect: try selectionCommand(command, tag)
        case .create, .delete, .rename, .subscribe, .unsubscribe, .list, .lsub, .status, .getMetadata, .setMetadata, .getQuota, .getQuotaRoot, .setQuota:
            try folderCommand(command, tag)
        case .fetch, .store, .search, .sort, .thread, .cancelUpdate, .copy, .move, .expunge: try await messageCommand(command, tag)
        }
    }

    /// Reports what happened to the mailbox, then completes the command.
    func finish(_ tag: String, _ condition: Condition = .ok("done"), mayExpunge: Bool = true) {
        synchronise(mayExpunge: mayExpunge)
        respond(tag, condition)
    }

    private func selectionCommand(_ command: Command, _ tag: String) throws(StoreError) {
        switch command {
        case .select(let name, let parameters): try select(tag, name, parameters, readOnly: false)
        case .examine(let name, let parameters): try select(tag, name, parameters, readOnly: true)
        case .close: try close(tag)
        default:
            deselect()
            respond(tag, .ok("done"))
        }
    }

    private func folderCommand(_ command: Command, _ tag: String) throws(StoreError) {
        guard let mailboxes else { return respond(tag, .bad("log in first")) }
        switch command {
        case .create(let name, let uses): return try create(tag, name, uses, in: mailboxes)
        case .getMetadata(let name, let entries, let options): return try getMetadata(tag, name, entries, options, mailboxes)
        case .setMetadata(let name, let values): return try setMetadata(tag, name, values, mailboxes)
        case .getQuota, .getQuotaRoot, .setQuota: return try quotaCommand(command, tag, mailboxes)
        case .delete(let name): try delete(name, in: mailboxes)
        case .rename(let old, let new): try rename(folderName(old), to: folderName(new), in: mailboxes)
        case .subscribe(let name): try setSubscribed(folderName(name), true, in: mailboxes)
        case .unsubscribe(let name): try setSubscribed(folderName(name), false, in: mailboxes)
        case .list(let request): return try list(tag, request, mailboxes)
        case .lsub(let reference, let pattern):
            for entry in FolderListing(folders: [], subscribed: try mailboxes.subscribedFolders(), separator: environment.configuration.hierarchySeparator).lsub(reference: reference, pattern: pattern) {
                respond(.lsub(entry))
            }
        case .status(let name, let items): respond(.status(name, try status(of: name, items, mailboxes)))
        default: break
        }
        finish(tag)
    }

    private func messageCommand(_ command: Command, _ tag: String) async throws {
        switch command {
        case .fetch(let set, let attributes, let numbering, let modifiers): try await fetch(tag, set, attributes, numbering, modifiers)
        case .store(let set, let request, let numbering): try store(tag, set, request, numbering)
        case .search(let request, let numbering): try await search(tag, request, numbering)
        case .sort(let criteria, let request, let numbering): try await sort(tag, criteria, request, numbering)
        case .thread(let algorithm, let key, let numbering): try await thread(tag, algorithm, key, numbering)
        case .cancelUpdate(let tags): cancelUpdate(tag, tags)
        case .copy(let set, let name, let numbering): try copy(tag, set, name, numbering, moving: false)
        case .move(let set, let name, let numbering): try copy(tag, set, name, numbering, moving: true)
        case .expunge(let set): try expunge(tag, uids: set)
        default: break
        }
    }
}
