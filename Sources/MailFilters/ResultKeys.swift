import DKIM
import DMARC
import DNS
import DecisionRecords
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

/// Who the sender is to the ledger; only where a recipient bears a tag.
public enum SenderIdentityKey: TransactionResultKey { public typealias Value = SenderIdentity }

/// Why a rule says that the message is no evidence to the ledger.
enum TagExemptionKey: TransactionResultKey { typealias Value = String }

/// What the ledger knows of the tag of the recipient that is asked about at RCPT.
public enum RecipientTagKey: TransactionResultKey { public typealias Value = TagRcptStatus }

public struct TaggedRecipient: Sendable {
    public let recipient: EmailAddress
    public let verdict: TagVerdict
}

/// Every rule that was asked about this message, stage after stage.
public enum PolicyTraceKey: TransactionResultKey { public typealias Value = [RuleTrace] }

/// Where the copies went, by whoever took the message; for its record.
public enum CopiesKey: TransactionResultKey { public typealias Value = [DecisionRecord.Copy] }

/// What the rules had to look up, those of the connection included.
public enum PolicyLookupsKey: TransactionResultKey { public typealias Value = PolicyLookups }

/// What rules of stage `rcpt` wish for the end of the message.
public enum RecipientChangesKey: TransactionResultKey { public typealias Value = [RecipientChange] }

/// Which keys signed, as `domain/selector`.
public enum SignedByKey: TransactionResultKey { public typealias Value = [String] }
