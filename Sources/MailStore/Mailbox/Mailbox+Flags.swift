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
            try state.setFlags(change, flags, keywords: keywords, uids: uids)
            state.settleModSequences()
            return state.snapshot
        }
    }

    /// The same for those messages that were not changed after a mod-sequence (RFC 7162 §3.1.3), in one step: nobody in
    /// this process changes them between the look and the change. Blocks.
    /// - Returns: the UIDs that were changed later and are left alone, ascending, and the folder afterwards.
    public func setFlags(
        _ change: FlagChange, _ flags: MessageFlags, keywords: [String] = [], uids: [UInt32], unchangedSince limit: UInt64
    ) throws(StoreError) -> (modified: [UInt32], snapshot: MailboxSnapshot) {
        try changing { state throws(StoreError) in
            try state.refresh()
            state.settleModSequences()
            var willing: [UInt32] = [], modified: [UInt32] = []
            for uid in uids {
                guard let message = state.snapshot.message(withUID: uid) else { continue }
                if message.modSequence > limit { modified.append(uid) } else { willing.append(uid) }
            }
            if !willing.isEmpty { try state.setFlags(change, flags, keywords: keywords, uids: willing) }
            state.settleModSequences()
            return (modified.sorted(), state.snapshot)
        }
    }

    /// Moves what is in `new` to `cur`: the caller's session becomes the one to which they are `\Recent`. Blocks.
    /// - Returns: their UIDs, ascending, and the folder afterwards.
    public func claimRecent() throws(StoreError) -> (recent: [UInt32], snapshot: MailboxSnapshot) {
        try changing { state throws(StoreError) in
            try state.refresh()
            let recent = state.snapshot.recentUIDs
            for uid in state.snapshot.messages.newUIDs { try state.rename(uid: uid) { _ in } }
            state.snapshot.unclaimed = []
            state.settleModSequences()
            return (recent, state.snapshot)
        }
    }

    /// Removes messages for good. Those that are gone already are no error. Blocks.
    @discardableResult
    public func expunge(uids: [UInt32]) throws(StoreError) -> MailboxSnapshot {
        let result = try changing { state throws(StoreError) in
            try state.refresh()
            try state.remove(uids: uids)
            state.settleModSequences()
            return state.snapshot
        }
        try syncs.sync(paths.cur)
        return result
    }
}

extension MailboxState {
    mutating func setFlags(_ change: FlagChange, _ flags: MessageFlags, keywords: [String], uids: [UInt32]) throws(StoreError) {
        let bits = try keywordBits(for: keywords, creating: change != .remove)
        for uid in uids {
            try rename(uid: uid) { message in
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
    }

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
            changed.spellAsUsual()
            let source = path(of: old)
            do throws(StoreError) {
                try Files.rename(source, to: paths.cur + "/" + changed.fileName)
            } catch .system(_, _, ENOENT) {
                try rescan()
                continue
            }
            snapshot.messages.replace(at: index, with: changed)
            snapshot.generation += 1
            return
        }
    }

    mutating func remove(uids: [UInt32]) throws(StoreError) {
        var removed: Set<UInt32> = []
        for uid in uids where try removeFile(uid: uid) { removed.insert(uid) }
        forget(Array(removed))
    }

    /// Their files were moved away.
    mutating func forget(_ uids: [UInt32]) {
        guard !uids.isEmpty else { return }
        snapshot.messages.remove(uids)
        for uid in uids { details[uid] = nil }
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
