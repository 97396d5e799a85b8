import InternetMessage
import SASL

/// What the shell around a ``ServerStateMachine`` has to do, in order.
public enum ServerAction: Sendable, Hashable {
    case send(SMTPReply)
    /// Find this out, then call ``ServerStateMachine/answer(_:)``. Until then the machine takes no octets.
    case ask(ServerQuestion)
    /// These octets of those just given belong to the message.
    case content(Range<Int>)
    /// The message in progress is given up: drop its octets, tell the filters.
    case abort
    /// When everything is sent: throw away what has been received and not been taken (RFC 3207 §4.2: a command that
    /// somebody put behind STARTTLS must not be believed), then shake hands, then call ``ServerStateMachine/tlsStarted()``.
    case startTLS
    /// When everything is sent: close.
    case close
}

/// What the machine cannot know by itself.
public enum ServerQuestion: Sendable, Hashable {
    /// A client connected: may it be greeted? Answer ``ServerAnswer/yes`` or ``ServerAnswer/no(_:)``.
    case connect
    case hello(String, extended: Bool)
    /// A proxy says who the client is: forget the one before and answer as to ``connect``.
    case client(ClientOverride)
    /// Answer ``ServerAnswer/yes`` when the password is right.
    case authenticate(Credentials)
    /// Answer ``ServerAnswer/keys(_:)``, a decoy where there is no such user, or ``ServerAnswer/no(_:)``.
    case scramKeys(user: String)
    /// The client has proved that it knows the password of the keys last given; with ``SCRAMExchange/provenKey``. Answer
    /// ``ServerAnswer/yes`` if they were an account's.
    case scramProved(mechanism: String, user: String, key: [UInt8]?)
    /// SCRAM failed, with a wrong password or worse. Answer ``ServerAnswer/no(_:)``.
    case scramRefused(mechanism: String, SCRAMExchange.Failure, user: String?)
    case mail(MailCommand)
    case recipient(RecipientCommand)
    /// DATA or the first BDAT, with at least one recipient.
    case content
    /// A command that the server does not know or does not do, as the client said it. Answer ``ServerAnswer/yes`` for the
    /// usual reply, or ``ServerAnswer/no(_:)``.
    case unknownCommand(String)
    /// The message is complete. Answer ``ServerAnswer/reply(_:)``, in LMTP ``ServerAnswer/replies(_:)``, and only when it
    /// is stored or refused for good.
    case message
}

public enum ServerAnswer: Sendable, Hashable {
    case yes
    case keys(SCRAMKeys)
    /// A refusal; with 421 the connection is closed after it.
    case no(SMTPReply)
    /// The reply to the message, whatever it is.
    case reply(SMTPReply)
    /// LMTP: one for each accepted RCPT, in their order (RFC 2033 §4.2).
    case replies([SMTPReply])
}
