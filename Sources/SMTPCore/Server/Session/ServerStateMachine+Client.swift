import InternetMessage

/// XCLIENT (Postfix's XCLIENT_README): a proxy that is trusted says who the client is, and the session begins anew.
extension ServerStateMachine {
    mutating func takeOverride(_ override: ClientOverride) -> [ServerAction] {
        guard settings.offersXClient else { return respond(ServerReplies.notAuthorized) }
        guard mail == nil else { return respond(ServerReplies.overrideInMail) }
        return ask(.client(override), .client(override))
    }

    /// The answer is that to a new connection: a greeting, or a refusal.
    mutating func answerOverride(_ override: ClientOverride, _ answer: ServerAnswer) -> [ServerAction] {
        hello = nil
        isExtended = false
        if let login = override.login { isAuthenticated = login.value != nil }
        return answerConnect(answer)
    }
}
