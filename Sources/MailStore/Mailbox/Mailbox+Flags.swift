#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What STORE does with flags (RFC 3501 §6.4.6).
public enum FlagChange: Sendable, Hashable {
    case replace, add, remove
}

extension Mailbox {
    /// Changes flags and keywords of messages by renaming their files. UIDs that are gone are passed over. Blocks.
    /// - Returns: the folder afterwards.
    @discardableResult
    public func setFlags(
        _ change: FlagChange, _ flags: MessageFlags, keywords: [String] = [], uids: [UInt32]
    ) throws(StoreError) -> MailboxSnapshot {
        try changing { state throws(StoreError) in
            try state.refresh()
            let bits = try state.keywordBits(for: keywords, creating: change != .remove)
            for uid in uids {
                try state.rename(uid: uid) { message in
                    switch change {
                    case .replace:
                        // `P` has no IMAP name, so no client can mean to take it away.
                        message.flags = flags.union(message.flags.intersection(.passed))
                        message.keywordBits = bits
                    case .add:
                        message.flags.formUnion(flags)
                        message.keywordBits |= bits
                    case .remove:
                        message.flags.subtract(flags)
                        message.keywordBits &= ~bits
                    }
                }
            }
            return state.snapshot
        }
    }

    /// Moves what is in `new` to `cur`: the caller's session becomes the one to which they are `\Recent`. Blocks.
    /// - Returns: their UIDs, ascending, and the folder afterwards.
    public func claimRecent() throws(StoreError) -> (recent: [UInt32], snapshot: MailboxSnapshot) {
        try changing { state throws(StoreError) in
            try state.refresh()
            let recent = state.snapshot.messages.filter(\.isNew).map(\.uid)
            for uid in recent { try state.rename(uid: uid) { _ in } }
            return (recent, state.snapshot)
        }
    }

    /// Removes messages for good. Those that are gone already are no error. Blocks.
    @discardableResult
    public func expunge(uids: [UInt32]) throws(StoreError) -> MailboxSnapshot {
        let result = try changing { state throws(StoreError) in
            try state.refresh()
            try state.remove(uids: uids)
            return state.snapshot
        }
        try syncs.sync(paths.cur)
        return result
    }
}

extension MailboxState {
    /// The letters of the keywords; unknown ones are added to `dovecot-keywords` (under Dovecot's lock) or passed over.
    mutating func keywordBits(for names: [String], creating: Bool) throws(StoreError) -> UInt32 {
        let known = names.compactMap { snapshot.keywordFile.bit(of: $0) }
        guard creating, known.count < names.count else { return known.reduce(0, |) }
        return try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
            keywordStamp = .missing
            try reloadKeywords()
            var file = snapshot.keywordFile
            var bits: UInt32 = 0
            for name in names { bits |= try file.add(name) }
            guard file != snapshot.keywordFile else { return bits }
            try Files.replace(paths.keywords, with: file.serialised())
            snapshot.keywordFile = file
            snapshot.generation += 1
            keywordStamp = try FileStamp.of(paths.keywords)
            return bits
        }
    }

    /// Gives a message's file the name that its changed flags ask for, in `cur`. Another program may have renamed or
    /// removed the file meanwhile: then the folder is read again and the change made to what is found, three times at most.
    mutating func rename(uid: UInt32, _ change: (inout StoredMessage) -> Void) throws(StoreError) {
        for _ in 0..<3 {
            guard let index = snapshot.index(ofUID: uid) else { return }
            let old = snapshot.messages[index]
            var changed = old
            change(&changed)
            changed.isNew = false
            if changed == old { return }
            changed.foreignName = nil
            let source = path(of: old)
            do throws(StoreError) {
                try Files.rename(source, to: paths.cur + "/" + changed.fileName)
            } catch .system(_, _, ENOENT) {
                try rescan()
                continue
            }
            snapshot.messages[index] = changed
            snapshot.generation += 1
            return
        }
    }

    mutating func remove(uids: [UInt32]) throws(StoreError) {
        var removed: Set<UInt32> = []
        for uid in uids where try removeFile(uid: uid) { removed.insert(uid) }
        guard !removed.isEmpty else { return }
        snapshot.messages.removeAll { removed.contains($0.uid) }
        for uid in removed { details[uid] = nil }
        snapshot.generation += 1
    }

    private mutating func removeFile(uid: UInt32) throws(StoreError) -> Bool {
        for _ in 0..<3 {
            guard let message = snapshot.message(withUID: uid) else { return false }
            let path = path(of: message)
            if unlink(path) == 0 { return true }
            guard errno == ENOENT else { throw Files.failure("unlink", path) }
            try rescan()
        }
        return false
    }

    /// Where the file was when the folder was last read.
    func path(of message: StoredMessage) -> String { (message.isNew ? paths.new : paths.cur) + "/" + message.fileName }
}
