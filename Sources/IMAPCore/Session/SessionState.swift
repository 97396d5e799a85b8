/// Where a connection stands (RFC 3501 §3) and what it may ask for there.
public struct SessionState: Sendable, Hashable {
    public enum Phase: Sendable, Hashable {
        case notAuthenticated
        case authenticated
        case selected(MailboxName, readOnly: Bool)
        case logout
    }

    public enum Admission: Sendable, Hashable {
        case allowed
        /// Answer this under the command's tag and do nothing else.
        case refused(Condition)
    }

    public private(set) var phase = Phase.notAuthenticated
    public private(set) var isTLS: Bool
    /// Whether STARTTLS can be had on this listener.
    public let offersTLS: Bool
    /// Whether LOGIN and AUTHENTICATE are allowed without TLS.
    public let allowsPlaintext: Bool
    public private(set) var enabled: Set<String> = []

    public init(isTLS: Bool, offersTLS: Bool, allowsPlaintext: Bool, canEnable: Set<String> = []) {
        self.isTLS = isTLS
        self.offersTLS = offersTLS
        self.allowsPlaintext = allowsPlaintext
        self.canEnable = canEnable
    }

    /// Capability names that ENABLE turns on, in upper case; RFC 5161 allows a server that knows none.
    public let canEnable: Set<String>

    public var isAuthenticated: Bool {
        switch phase {
        case .authenticated, .selected: true
        case .notAuthenticated, .logout: false
        }
    }

    public var selected: MailboxName? { if case .selected(let name, _) = phase { name } else { nil } }
    public var isReadOnly: Bool { if case .selected(_, let readOnly) = phase { readOnly } else { false } }
    /// Whether passwords may be sent now.
    public var acceptsPasswords: Bool { isTLS || allowsPlaintext }
    /// Whether mailbox names and quoted strings go to this client as UTF-8.
    public var acceptsUTF8: Bool { enabled.contains("UTF8=ACCEPT") }
    public var isRevision2: Bool { enabled.contains("IMAP4REV2") }
    /// Whether the client hears that the mailbox selected before is closed (RFC 7162 §3.2.11, RFC 9051 §6.3.2).
    public var tellsClosing: Bool { usesVanished || isRevision2 }
    public var usesUTF8: Bool { enabled.contains("IMAP4REV2") || enabled.contains("UTF8=ACCEPT") }

    /// RFC 7162 §3.1: FETCH answers tell mod-sequences now.
    public var usesModSequences: Bool { enabled.contains("CONDSTORE") || usesVanished }
    /// RFC 7162 §3.2.3: what is expunged is told by VANISHED now.
    public var usesVanished: Bool { enabled.contains("QRESYNC") }

    /// Whether the command may run now; asked before anything else is done with it.
    public func admission(of command: Command) -> Admission {
        if phase == .logout { return .refused(.bad("the connection is logging out")) }
        switch command {
        case .capability, .noop, .logout, .id: return .allowed
        case .startTLS: return startTLS()
        case .login, .authenticate: return logIn(command)
        case .enable, .select, .examine, .create, .delete, .rename, .subscribe, .unsubscribe, .list, .lsub, .status, .getQuota, .getQuotaRoot, .setQuota, .getMetadata, .setMetadata, .compress, .namespace, .idle, .notify:
            return isAuthenticated ? .allowed : .refused(.bad("log in first"))
        case .check, .close, .unselect, .search, .sort, .thread, .cancelUpdate, .fetch, .copy:
            return needsSelection()
        case .expunge, .store, .move:
            let admission = needsSelection()
            guard admission == .allowed, isReadOnly else { return admission }
            return .refused(.no("the mailbox is open read-only", code: .noPerm))
        }
    }

    /// Whether an APPEND, or a REPLACE in the selected mailbox, may run now.
    public func admission(ofAppend header: AppendHeader) -> Admission {
        guard isAuthenticated else { return .refused(.bad("log in first")) }
        guard header.replaces != nil else { return .allowed }
        let admission = needsSelection()
        return admission == .allowed && isReadOnly ? .refused(.no("the mailbox is open read-only", code: .noPerm)) : admission
    }

    private func startTLS() -> Admission {
        if isTLS { return .refused(.bad("TLS is already on")) }
        guard phase == .notAuthenticated else { return .refused(.bad("STARTTLS comes before logging in")) }
        return offersTLS ? .allowed : .refused(.bad("TLS is not offered here"))
    }

    private func logIn(_ command: Command) -> Admission {
        guard phase == .notAuthenticated else { return .refused(.bad("already logged in")) }
        // RFC 3501 §6.2.3 with LOGINDISABLED; RFC 5530's code tells the client what to do. SCRAM would keep the password from
        // who listens, but not the mail that follows.
        return acceptsPasswords ? .allowed : .refused(.no("use STARTTLS first", code: .privacyRequired))
    }

    private func needsSelection() -> Admission {
        if case .selected = phase { return .allowed }
        return .refused(.bad(isAuthenticated ? "select a mailbox first" : "log in first"))
    }

    // MARK: What happened

    public mutating func didStartTLS() { isTLS = true }
    public mutating func didAuthenticate() { if phase == .notAuthenticated { phase = .authenticated } }
    public mutating func didSelect(_ name: MailboxName, readOnly: Bool) { if isAuthenticated { phase = .selected(name, readOnly: readOnly) } }

    /// CLOSE, UNSELECT, or a SELECT that failed (§6.3.1: then nothing is selected).
    public mutating func didDeselect() { if isAuthenticated { phase = .authenticated } }
    public mutating func didLogOut() { phase = .logout }

    /// - Returns: those of the names that are known and now on, for ENABLED (RFC 5161 §3.2).
    public mutating func enable(_ names: [String]) -> [String] {
        let known = names.filter { canEnable.contains($0) && !enabled.contains($0) }
        enabled.formUnion(known)
        return known
    }

    /// A command that names mod-sequences turns them on (RFC 7162 §3.1).
    /// - Returns: whether they were off.
    public mutating func useModSequences() -> Bool { !usesModSequences && enabled.insert("CONDSTORE").inserted }

    /// What CAPABILITY lists now.
    /// - Parameters:
    ///   - mechanisms: SASL mechanisms on offer, in upper case; none of them is listed without TLS where that is needed.
    ///   - extensions: what is listed after log-in, where a server adds to ``extensions`` (`APPENDLIMIT=...`) or takes away.
    public func capabilities(mechanisms: [String], extensions: [String] = SessionState.extensions) -> [String] {
        guard !isAuthenticated else { return Self.base + extensions }
        var names = Self.base
        if offersTLS, !isTLS { names.append("STARTTLS") }
        if !acceptsPasswords { names.append("LOGINDISABLED") }
        return names + (acceptsPasswords ? mechanisms : []).map { "AUTH=" + $0 }
    }

    private static let base = ["IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE"]
    /// The extensions whose syntax this library speaks; a server that lists one must also do what it says.
    public static let extensions = [
        "IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "UNSELECT", "CHILDREN", "SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "ESEARCH", "WITHIN", "BINARY",
        "STATUS=SIZE", "CONDSTORE", "QRESYNC", "SEARCHRES", "SORT", "SORT=DISPLAY", "ESORT", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "PARTIAL",
        "MULTIAPPEND", "CATENATE", "REPLACE", "COMPRESS=DEFLATE", "PREVIEW", "SAVEDATE", "OBJECTID", "INPROGRESS", "METADATA", "UTF8=ACCEPT",
        "NOTIFY", "CREATE-SPECIAL-USE", "CONTEXT=SEARCH", "CONTEXT=SORT",
    ]
}
