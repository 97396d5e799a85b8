import DKIM
import DMARC
import DNS
import InternetMessage
import Milter
import Policy
import SPF
import Tags

/// SPF of both identities.
public struct SPFResults: Sendable {
    public let helo: SPFResult?
    public let mailFrom: SPFResult?
}

/// Whether the client's address has a name that leads back to it.
public enum ReverseNameKey: TransactionResultKey { public typealias Value = ReverseNameCheck }

public enum SPFKey: TransactionResultKey { public typealias Value = SPFResults }
public enum DKIMKey: TransactionResultKey { public typealias Value = [DKIMSignatureResult] }
public enum DMARCKey: TransactionResultKey { public typealias Value = DMARCResult }

/// The ledger's word on each tagged recipient, in envelope order.
public enum TagKey: TransactionResultKey { public typealias Value = [TaggedRecipient] }

/// What the ledger knows of the tag of the recipient that is asked about at RCPT.
public enum RecipientTagKey: TransactionResultKey { public typealias Value = TagRcptStatus }

public struct TaggedRecipient: Sendable {
    public let recipient: EmailAddress
    public let verdict: TagVerdict
}

/// Every rule that was asked about this message, stage after stage.
public enum PolicyTraceKey: TransactionResultKey { public typealias Value = [RuleTrace] }

/// Which keys signed, as `domain/selector`.
public enum SignedByKey: TransactionResultKey { public typealias Value = [String] }
