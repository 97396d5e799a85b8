import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a notification in the queue says of another message: written in one with the notification, so that who is killed
/// between the two does not tell the sender a second time. Recovery notes in the other message what it finds missing there.
public struct QueueSettlement: Codable, Sendable, Hashable {
    /// The message told of.
    public var id: String
    /// What its recipients were told to have come to, by index: failed, or pending with the delay noticed.
    public var statuses: [Int: RecipientStatus]

    public init(id: String, statuses: [Int: RecipientStatus]) {
        self.id = id
        self.statuses = statuses
    }

    /// What the message told of does not know yet. Its own later steps stand: a recipient may have been tried since.
    func missing(in envelope: QueueEnvelope) -> [Int: RecipientStatus] {
        statuses.filter { index, told in
            guard envelope.recipients.indices.contains(index), case .pending(let known) = envelope.recipients[index].status else { return false }
            guard case .pending = told else { return true }
            return !known.delayNoticed
        }
    }
}

extension Recovery {
    /// Catches up with the notifications that were found. What cannot be noted is tried again as if nothing had happened.
    static func catchUp(_ folders: QueueFolders, _ found: inout Found) {
        for settlement in found.settlements {
            let path = folders.path(of: settlement.id)
            guard found.index[settlement.id] != nil, let message = try? read(id: settlement.id, path: path) else { continue }
            let missing = settlement.missing(in: message.envelope)
            guard !missing.isEmpty, let lines = try? QueueFile.encode(QueueFile.steps(missing)),
                (try? MailQueue.append(lines, to: path, isSynced: true)) != nil else { continue }
            found.recovery.caughtUp += 1
            guard found.index.note(settlement.id, missing) == true else { continue }
            unlink(path)
            found.index.remove(settlement.id)
            found.recovery.restored -= 1
            found.recovery.finished += 1
        }
    }
}
