import CMilter
import InternetMessage
import Milter

/// Hands a message's modifications to the MTA through libmilter; in xxfi_eom only.
struct ModificationReplay {
    let context: OpaquePointer
    let keepsLeadingBlank: Bool
    /// How the MTA wrote each recipient. Postfix compares octet by octet when it removes one.
    let rawRecipients: [EmailAddress: [String]]

    /// A modification that the MTA does not take: it did not offer it, or the connection is gone.
    struct Failure: Error, CustomStringConvertible {
        let call: String
        var description: String { "the MTA does not take the change (\(call))" }
    }

    /// - Parameter received: the header as the MTA sent it.
    /// - Throws: ``Failure`` for the first change refused.
    func run(_ log: [Modification], received: MessageHeader) throws {
        for edit in HeaderEdits(received: received, log: log).edits { try apply(edit) }
        for change in effective(log) { try applyEnvelope(change) }
        try replaceBody(log)
    }

    private func apply(_ edit: HeaderEdits.Edit) throws {
        switch edit {
        case .change(let name, let occurrence, let field):
            guard let field else {
                return try check(postern_smfi_chgheader(context, name, Int32(clamping: occurrence), nil), "delete header \(name)")
            }
            try check(postern_smfi_chgheader(context, name, Int32(clamping: occurrence), value(of: field)), "change header \(name)")
        case .insert(let index, let field):
            try check(postern_smfi_insheader(context, Int32(clamping: index), field.name, value(of: field)), "insert header \(field.name)")
        case .append(let field):
            try check(postern_smfi_addheader(context, field.name, value(of: field)), "add header \(field.name)")
        }
    }

    /// The value as the MTA wants it: LF for line ends, and the blank after the colon only when it keeps it.
    private func value(of field: HeaderField) -> String {
        var octets = field.rawValue.filter { $0 != 13 && $0 != 0 }
        if !keepsLeadingBlank, octets.first == 32 { octets.removeFirst() }
        // An empty value would mean 'delete' (smfi_chgheader).
        if octets.isEmpty { octets = [32] }
        return String(decoding: octets, as: UTF8.self)
    }

    /// The log without recipients added that were there already: Postfix would deliver to them twice.
    private func effective(_ log: [Modification]) -> [Modification] {
        var present = Set(rawRecipients.keys)
        return log.filter { change in
            switch change {
            case .addRecipient(let recipient): return present.insert(recipient.address).inserted
            case .removeRecipient(let address): present.remove(address)
            default: break
            }
            return true
        }
    }

    private func applyEnvelope(_ change: Modification) throws {
        switch change {
        case .addRecipient(let recipient):
            let path = "<\(recipient.address)>"
            guard let arguments = EnvelopeArguments.text(recipient.parameters) else {
                return try check(postern_smfi_addrcpt(context, path), "add recipient")
            }
            try check(postern_smfi_addrcpt_par(context, path, arguments), "add recipient with parameters")
        case .removeRecipient(let address):
            for path in rawRecipients[address] ?? ["<\(address)>"] { try check(postern_smfi_delrcpt(context, path), "remove recipient") }
        case .changeSender(let sender):
            let path = "<\(sender.address?.description ?? "")>"
            try check(postern_smfi_chgfrom(context, path, EnvelopeArguments.text(sender.parameters)), "change sender")
        case .quarantine(let reason):
            let text = reason.filter { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }
            try check(postern_smfi_quarantine(context, text.isEmpty ? "held by a filter" : text), "quarantine")
        case .insertHeader, .addHeader, .changeHeader, .replaceBody: break
        }
    }

    /// Only the last body counts: libmilter appends what is given piece by piece.
    private func replaceBody(_ log: [Modification]) throws {
        var last: MessageBody?
        for case .replaceBody(let body) in log { last = body }
        guard let last else { return }
        if last.count == 0 { return try check(postern_smfi_replacebody(context, nil, 0), "replace body") }
        try last.forEachChunk { try check(postern_smfi_replacebody(context, $0.baseAddress, $0.count), "replace body") }
    }

    private func check(_ result: Int32, _ call: String) throws {
        guard result == MI_SUCCESS else { throw Failure(call: call) }
    }
}
