import IMAPCore
import MailStore

// APPEND (RFC 3501 §6.3.11, UIDPLUS RFC 4315 §3, MULTIAPPEND RFC 3502, CATENATE RFC 4469, BINARY RFC 3516 §4.4, UTF8
// RFC 6855 §4) and REPLACE (RFC 8508). Messages go to the disk piece by piece, as they come.
extension IMAPSession {
    func append(_ step: AppendStep) async throws {
        do {
            switch step {
            case .begins(let header): beginAppend(header)
            case .message(let message): try append?.begin(message)
            case .literal(let literal): literalBegins(literal)
            case .chunk(let bytes): try append?.write(bytes)
            case .url(let text): try await appendURL(text)
            case .messageEnds: append?.endMessage()
            case .ends: try endAppend()
            }
        } catch let error as StoreError {
            log(error)
            abandonAppend(error.condition(creating: true))
        }
    }

    private func beginAppend(_ header: AppendHeader) {
        if case .refused(let condition) = state.admission(ofAppend: header) { return append = AppendInProgress(header, mailbox: nil, failure: condition) }
        guard let mailboxes else { return }
        do throws(StoreError) {
            let mailbox = try mailboxes.mailbox(folderName(header.mailbox))
            guard let target = header.replaces else { return append = AppendInProgress(header, mailbox: mailbox) }
            guard let index = indices(target.number, target.numbering), let found = index.first, let view = selection?.view else {
                return append = AppendInProgress(header, mailbox: nil, failure: target.numbering == .uid ? .no("there is no such message", code: .nonExistent) : .bad("there is no such message"))
            }
            append = AppendInProgress(header, mailbox: mailbox, replaced: view.messages[found].uid)
        } catch {
            log(error)
            append = AppendInProgress(header, mailbox: nil, failure: error.condition(creating: true))
        }
    }

    private func literalBegins(_ literal: AppendLiteral) {
        guard let append else { return framer.refuseAppend() }
        if let failure = append.failure { return abandonAppend(failure) }
        append.expect(literal8: literal.isBinary)
        framer.acceptAppend()
        if literal.isSynchronising { respond(.continuation("go on")) }
    }

    /// Answers now, and skips what is left of the command.
    private func abandonAppend(_ condition: Condition) {
        guard let append else { return }
        self.append = nil
        framer.abandonAppend()
        respond(append.header.tag, condition)
    }

    private func endAppend() throws(StoreError) {
        guard let append else { return }
        self.append = nil
        let tag = append.header.tag
        if let failure = append.failure { return respond(tag, failure) }
        do throws(StoreError) {
            let assigned = try append.commit()
            if let mailbox = append.mailbox { noteOwnArrivals(assigned.uids, in: mailbox) }
            let code = SequenceSet.compact(assigned.uids).map { ResponseCode.appendUID(validity: assigned.uidValidity, uids: $0) }
            guard let replaced = append.replaced, let mailbox = selection?.mailbox else { return finish(tag, .ok("stored", code: code)) }
            // RFC 8508 §3.1: first the new message is told, then the old one goes.
            respond(.untagged(.ok("stored", code: code)))
            try mailbox.expunge(uids: [replaced])
            finish(tag, .ok("replaced"))
        } catch { fail(tag, error, creating: true) }
    }

    // MARK: CATENATE

    private func appendURL(_ text: String) async throws {
        guard let append, append.failure == nil else { return }
        guard let part = try storedPart(text) else { return abandonAppend(.no("there is nothing at that URL", code: .badURL(text))) }
        let limit = environment.configuration.maximumMessageSize
        switch part {
        case .octets(_, let octets, _):
            append.expect(literal8: false)
            try append.write(octets)
        case .stream(_, let file, let range, _):
            append.expect(literal8: false)
            var reader = file.reader()
            try reader.skip(to: range.lowerBound)
            while append.size <= limit, reader.position < range.upperBound,
                let piece = try reader.next(atMost: min(MessageReader.pieceSize, range.upperBound - reader.position)) {
                try append.write(piece)
                await Task.yield()
            }
        default: break
        }
        if append.size > limit { abandonAppend(.no("the message is larger than \(limit) octets", code: .tooBig)) }
    }

    /// nil: the URL means nothing here.
    private func storedPart(_ text: String) throws(StoreError) -> FetchItem? {
        guard let url = MessageURL(text), let mailboxes else { return nil }
        do throws(StoreError) {
            var mailbox = selection?.mailbox
            if let name = url.mailbox { mailbox = try mailboxes.mailbox(folderName(name)) }
            guard let mailbox else { return nil }
            let snapshot = try mailbox.refresh()
            guard url.uidValidity == nil || url.uidValidity == snapshot.uidValidity, let message = snapshot.message(withUID: url.uid) else { return nil }
            let plan = try FetchPlanner(mailbox: mailbox, message: message, flags: []).plan([.section(url.section, partial: url.partial, peek: true)])
            if case .none? = plan.first { return nil }
            return plan.first
        } catch {
            switch error {
            case .noSuchMailbox, .noSuchMessage, .invalidName: return nil
            default: throw error
            }
        }
    }
}
