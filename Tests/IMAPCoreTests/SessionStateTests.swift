import IMAPCore
import Testing

@Suite struct SessionStateTests {
    func refusal(_ state: SessionState, _ text: String) throws -> String? {
        guard case .refused(let condition) = state.admission(of: try command("t " + text)) else { return nil }
        return wire(.tagged("t", condition))
    }

    static let anyState = ["CAPABILITY", "NOOP", "LOGOUT", "ID NIL"]
    static let authenticated = ["SELECT a", "EXAMINE a", "CREATE a", "DELETE a", "RENAME a b", "SUBSCRIBE a", "UNSUBSCRIBE a", "LIST \"\" *", "LSUB \"\" *", "STATUS a (MESSAGES)", "NAMESPACE", "IDLE", "ENABLE X"]
    static let selected = ["CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "UID EXPUNGE 1", "SEARCH ALL", "FETCH 1 FLAGS", "STORE 1 FLAGS a", "COPY 1 a", "MOVE 1 a", "UID FETCH 1 FLAGS", "CANCELUPDATE \"a\""]

    /// RFC 3501 §6: which commands each state allows.
    @Test func commandsByState() throws {
        var state = SessionState(isTLS: true, offersTLS: true, allowsPlaintext: false)
        for text in Self.anyState + ["LOGIN a b", "AUTHENTICATE PLAIN"] { #expect(try refusal(state, text) == nil) }
        for text in Self.authenticated + Self.selected { #expect(try refusal(state, text) == "t BAD log in first\r\n") }
        state.didAuthenticate()
        for text in Self.anyState + Self.authenticated { #expect(try refusal(state, text) == nil) }
        for text in Self.selected { #expect(try refusal(state, text) == "t BAD select a mailbox first\r\n") }
        for text in ["LOGIN a b", "AUTHENTICATE PLAIN"] { #expect(try refusal(state, text) == "t BAD already logged in\r\n") }
        state.didSelect(.inbox, readOnly: false)
        for text in Self.anyState + Self.authenticated + Self.selected { #expect(try refusal(state, text) == nil) }
        state.didDeselect()
        #expect(state.phase == .authenticated && state.selected == nil)
        state.didLogOut()
        for text in Self.anyState + Self.authenticated { #expect(try refusal(state, text)?.hasPrefix("t BAD") == true) }
    }

    @Test func readOnly() throws {
        var state = SessionState(isTLS: true, offersTLS: true, allowsPlaintext: false)
        state.didAuthenticate()
        state.didSelect(.inbox, readOnly: true)
        for text in ["STORE 1 FLAGS a", "EXPUNGE", "MOVE 1 a"] { #expect(try refusal(state, text)?.hasPrefix("t NO [NOPERM]") == true) }
        for text in ["FETCH 1 BODY[]", "COPY 1 a", "CLOSE", "SEARCH ALL"] { #expect(try refusal(state, text) == nil) }
    }

    @Test func passwordsNeedTLS() throws {
        var state = SessionState(isTLS: false, offersTLS: true, allowsPlaintext: false)
        for text in ["LOGIN a b", "AUTHENTICATE PLAIN", "AUTHENTICATE login", "AUTHENTICATE SCRAM-SHA-256"] { #expect(try refusal(state, text)?.hasPrefix("t NO [PRIVACYREQUIRED]") == true) }
        #expect(try refusal(state, "STARTTLS") == nil)
        #expect(state.capabilities(mechanisms: ["PLAIN", "SCRAM-SHA-256"]).suffix(2) == ["STARTTLS", "LOGINDISABLED"])
        state.didStartTLS()
        #expect(try refusal(state, "LOGIN a b") == nil && refusal(state, "STARTTLS")?.hasPrefix("t BAD") == true)
        let names = state.capabilities(mechanisms: ["PLAIN"])
        #expect(names.contains("AUTH=PLAIN") && !names.contains("STARTTLS") && !names.contains("LOGINDISABLED") && names.first == "IMAP4rev1")
        state.didAuthenticate()
        #expect(!state.capabilities(mechanisms: ["PLAIN"]).contains("AUTH=PLAIN") && state.capabilities(mechanisms: []).contains("UIDPLUS"))
    }

    @Test func enabling() {
        var state = SessionState(isTLS: true, offersTLS: true, allowsPlaintext: false, canEnable: ["UTF8=ACCEPT"])
        #expect(state.enable(["FOO"]) == [] && !state.usesUTF8)
        #expect(state.enable(["UTF8=ACCEPT", "FOO"]) == ["UTF8=ACCEPT"] && state.usesUTF8)
        #expect(state.enable(["UTF8=ACCEPT"]) == [])
    }
}
