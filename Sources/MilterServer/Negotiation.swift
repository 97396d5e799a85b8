import CMilter
import Milter
import Synchronization

/// What was agreed with an MTA at the start of its connection: the steps it sends, those we answer, the changes we
/// may make (libmilter's xxfi_negotiate).
struct Negotiation: Hashable {
    /// `SMFIF_*`
    let actions: Int
    /// `SMFIP_*`
    let protocolSteps: Int
    /// Stages at which the MTA expects no answer.
    let unanswered: Set<MilterStage>
    /// Whether header values come, and go, with the blank after the colon (`SMFIP_HDR_LEADSPC`): DKIM signs it.
    let keepsLeadingBlank: Bool

    /// Asks for exactly what a chain with these stages and changes needs.
    ///
    /// Connection, HELO, sender and recipients are facts that later stages read, so these steps are sent when anything
    /// after them is wanted, but answered only when a filter speaks there. libmilter itself plays an answer to an MTA
    /// that knows no `SMFIP_NR_*`, so they may be set whether offered or not.
    init(stages: Set<MilterStage>, changes: Set<Modification.Kind> = .all, offeredActions: Int, offeredProtocol: Int) {
        func anyWanted(from first: MilterStage) -> Bool { stages.contains { $0 >= first } }
        // End of header tells us nothing: fields come one by one, and the body or the end of message follows.
        var steps = SMFIP_NOUNKNOWN | SMFIP_NOEOH
        var silent: Set<MilterStage> = []
        func step(_ stage: MilterStage, wanted: Bool, skip: Int, noReply: Int) {
            if !wanted { steps |= skip } else if !stages.contains(stage) { steps |= noReply; silent.insert(stage) }
        }
        step(.connect, wanted: anyWanted(from: .connect), skip: SMFIP_NOCONNECT, noReply: SMFIP_NR_CONN)
        step(.helo, wanted: anyWanted(from: .helo), skip: SMFIP_NOHELO, noReply: SMFIP_NR_HELO)
        step(.mail, wanted: anyWanted(from: .mail), skip: SMFIP_NOMAIL, noReply: SMFIP_NR_MAIL)
        step(.rcpt, wanted: anyWanted(from: .rcpt), skip: SMFIP_NORCPT, noReply: SMFIP_NR_RCPT)
        step(.data, wanted: stages.contains(.data), skip: SMFIP_NODATA, noReply: SMFIP_NR_DATA)
        if anyWanted(from: .header) {
            steps |= SMFIP_NR_HDR
            silent.insert(.header)
        } else {
            steps |= SMFIP_NOHDRS | SMFIP_NOBODY
        }
        keepsLeadingBlank = offeredProtocol & SMFIP_HDR_LEADSPC != 0
        if keepsLeadingBlank { steps |= SMFIP_HDR_LEADSPC }
        let granted = changes.reduce(0) { $0 | Self.actions(for: $1) }
        actions = ((anyWanted(from: .header) ? granted : 0) | SMFIF_SETSYMLIST) & offeredActions
        // libmilter drops the last two itself where an MTA does not know them; anything else unknown ends the session.
        protocolSteps = steps & (offeredProtocol | SMFIP_NODATA | SMFIP_NOUNKNOWN)
        unanswered = silent
    }

    private static func actions(for change: Modification.Kind) -> Int {
        switch change {
        case .addHeaders: SMFIF_ADDHDRS
        case .changeHeaders: SMFIF_CHGHDRS
        case .addRecipients: SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR
        case .removeRecipients: SMFIF_DELRCPT
        case .changeSender: SMFIF_CHGFROM
        case .replaceBody: SMFIF_CHGBODY
        case .quarantine: SMFIF_QUARANTINE
        }
    }

    /// The macros each stage needs, by name (`smfi_setsymlist`). An MTA's own settings may hide some
    /// (`milter_mail_macros`); what is asked for by name it sends all the same.
    static let macros: [(place: Int32, names: String)] = [
        (SMFIM_CONNECT, "j _ {daemon_name} {daemon_addr} {daemon_port} {if_addr} {if_port} {client_addr} {client_port} {client_name} {client_ptr} {client_resolve}"),
        (SMFIM_HELO, "{tls_version} {cipher} {cipher_bits} {server_name}"),
        (SMFIM_ENVFROM, "i {auth_type} {auth_authen} {auth_author} {mail_addr}"),
        (SMFIM_ENVRCPT, "{rcpt_addr} {rcpt_host} {rcpt_mailer}"),
        (SMFIM_EOM, "i"),
    ]
}

/// What was negotiated on each of libmilter's contexts.
///
/// An MTA may end one client's session and start the next on the same connection without negotiating again
/// (`SMFIC_QUIT_NC`), so what was negotiated outlives xxfi_close, and nothing may stay behind it in the private pointer:
/// libmilter complains to syslog of each context that it frees with one (`private data not NULL`). Nor does it say when it
/// frees one. So a context's entry stays until another context at that address negotiates, which each does before
/// anything else; there are as many entries as libmilter ever had contexts side by side, give or take its allocator's
/// moods, and an entry is smaller than a tenth of a context.
final class NegotiationTable: Sendable {
    private let entries = Mutex<[UInt: Negotiation]>([:])

    func set(_ value: Negotiation, for context: OpaquePointer) {
        entries.withLock { $0[UInt(bitPattern: context)] = value }
    }

    func value(for context: OpaquePointer) -> Negotiation? { entries.withLock { $0[UInt(bitPattern: context)] } }
}
