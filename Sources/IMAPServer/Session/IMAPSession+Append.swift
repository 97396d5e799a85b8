import IMAPCore
import MailStore

/// An APPEND whose message is on its way into `tmp`.
final class AppendInProgress {
    let header: AppendHeader
    let mailbox: Mailbox
    private var writer: MessageWriter?

    init(_ header: AppendHeader, _ mailbox: Mailbox) throws(StoreError) {
        self.header = header
        self.mailbox = mailbox
        writer = try mailbox.beginAppend(expecting: header.size)
    }

    func write(_ bytes: [UInt8]) throws(StoreError) { try writer?.append(bytes) }

    func commit() throws(StoreError) -> AssignedUIDs {
        guard let writer = writer.take() else { throw .noSuchMessage(uid: 0) }
        let (flags, keywords) = FlagMapping.split(header.flags)
        return try mailbox.commit(writer, flags: flags, keywords: keywords, internalDate: header.date?.unixTime)
    }
}

// APPEND (RFC 3501 §6.3.11, UIDPLUS RFC 4315 §3). The message goes to the disk piece by piece, as it comes.
extension IMAPSession {
    func appendBegins(_ header: AppendHeader) {
        if case .refused(let condition) = state.admission(of: .append(header)) { return refuseAppend(header.tag, condition) }
        guard let mailboxes else { return refuseAppend(header.tag, .bad("log in first")) }
        do throws(StoreError) {
            append = try AppendInProgress(header, try mailboxes.mailbox(FolderName(header.mailbox.text)))
            framer.acceptAppend()
            if header.isSynchronising { respond(.continuation("go on")) }
        } catch {
            log(error)
            refuseAppend(header.tag, error.condition(creating: true))
        }
    }

    func appendChunk(_ bytes: [UInt8]) {
        guard let append else { return }
        do throws(StoreError) { try append.write(bytes) } catch {
            self.append = nil
            framer.abandonAppend()
            fail(append.header.tag, error)
        }
    }

    func appendEnds() async throws {
        guard let append else { return }
        self.append = nil
        do throws(StoreError) {
            let assigned = try append.commit()
            let code = SequenceSet.compact(assigned.uids).map { ResponseCode.appendUID(validity: assigned.uidValidity, uids: $0) }
            finish(append.header.tag, .ok("stored", code: code))
        } catch { fail(append.header.tag, error, creating: true) }
    }

    private func refuseAppend(_ tag: String, _ condition: Condition) {
        framer.refuseAppend()
        respond(tag, condition)
    }
}
