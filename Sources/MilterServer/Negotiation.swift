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

    /// Asks for exactly what a chain with these stages needs.
    ///
    /// Connection, HELO, sender and recipients are facts that later stages read, so these steps are sent when anything
    /// after them is wanted, but answered only when a filter speaks there. libmilter itself plays an answer to an MTA
    /// that knows no `SMFIP_NR_*`, so they may be set whether offered or not.
    init(stages: Set<MilterStage>, offeredActions: Int, offeredProtocol: Int) {
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
        let changes = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR
            | SMFIF_DELRCPT | SMFIF_CHGFROM | SMFIF_QUARANTINE
        actions = ((anyWanted(from: .header) ? changes : 0) | SMFIF_SETSYMLIST) & offeredActions
        // libmilter drops the last two itself where an MTA does not know them; anything else unknown ends the session.
        protocolSteps = steps & (offeredProtocol | SMFIP_NODATA | SMFIP_NOUNKNOWN)
        unanswered = silent
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

/// Negotiations kept by reference for libmilter's private pointer, one object for each distinct one.
///
/// An MTA may end one client's session and start the next on the same connection without negotiating again
/// (`SMFIC_QUIT_NC`), and libmilter never says when a connection is gone for good. So what was negotiated cannot live
/// in an object freed at close; there are few distinct ones, and they stay.
final class NegotiationTable: Sendable {
    final class Entry: Sendable {
        let value: Negotiation
        init(_ value: Negotiation) { self.value = value }
    }

    private let entries = Mutex<[Negotiation: Entry]>([:])

    func entry(for value: Negotiation) -> Entry {
        entries.withLock { table in
            if let known = table[value] { return known }
            let new = Entry(value)
            table[value] = new
            return new
        }
    }
}
