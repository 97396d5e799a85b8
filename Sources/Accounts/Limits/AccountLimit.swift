/// How much an account may send in a length of time. Passwords get stolen: beyond it mail is held for the administrator.
public struct AccountLimit: Sendable, Hashable {
    /// 0: no limit.
    public var messages: Int
    /// Recipients of all messages together; 0: no limit.
    public var recipients: Int
    /// Seconds, at least 1.
    public var window: Int

    public init(messages: Int, recipients: Int, window: Int) {
        self.messages = max(messages, 0)
        self.recipients = max(recipients, 0)
        self.window = max(window, 1)
    }

    public var isUnlimited: Bool { messages == 0 && recipients == 0 }
}

/// What an account has sent within the window of its limit.
public struct AccountUse: Sendable, Hashable {
    public var messages: Int
    public var recipients: Int

    public init(messages: Int, recipients: Int) {
        self.messages = messages
        self.recipients = recipients
    }

    public func isOver(_ limit: AccountLimit) -> Bool {
        limit.messages > 0 && messages > limit.messages || limit.recipients > 0 && recipients > limit.recipients
    }
}
