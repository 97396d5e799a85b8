/// The milter protocol's wire form, as libmilter's mfdef.h defines it: a length of four octets, a command octet, data.
enum MilterCommandCode: UInt8, Sendable {
    case abort = 0x41  // A
    case body = 0x42  // B
    case connect = 0x43  // C
    case macro = 0x44  // D
    case endOfMessage = 0x45  // E
    case helo = 0x48  // H
    case header = 0x4c  // L
    case mail = 0x4d  // M
    case endOfHeaders = 0x4e  // N
    case negotiate = 0x4f  // O
    case quit = 0x51  // Q
    case rcpt = 0x52  // R
    case data = 0x54  // T
    case unknown = 0x55  // U
}

/// What the filter may do (SMFIF_*).
struct MilterActions: OptionSet, Sendable, Hashable {
    let rawValue: UInt32
    static let addHeaders = MilterActions(rawValue: 0x01)
    static let changeBody = MilterActions(rawValue: 0x02)
    static let addRecipients = MilterActions(rawValue: 0x04)
    static let deleteRecipients = MilterActions(rawValue: 0x08)
    static let changeHeaders = MilterActions(rawValue: 0x10)
    static let quarantine = MilterActions(rawValue: 0x20)
    static let changeSender = MilterActions(rawValue: 0x40)
    static let addRecipientsWithParameters = MilterActions(rawValue: 0x80)
    static let setMacroList = MilterActions(rawValue: 0x100)
    static let all = MilterActions(rawValue: 0x1ff)
}

/// What is left out, and what is not answered (SMFIP_*).
struct MilterProtocolFlags: OptionSet, Sendable, Hashable {
    let rawValue: UInt32
    static let noConnect = MilterProtocolFlags(rawValue: 0x01)
    static let noHelo = MilterProtocolFlags(rawValue: 0x02)
    static let noMail = MilterProtocolFlags(rawValue: 0x04)
    static let noRcpt = MilterProtocolFlags(rawValue: 0x08)
    static let noBody = MilterProtocolFlags(rawValue: 0x10)
    static let noHeaders = MilterProtocolFlags(rawValue: 0x20)
    static let noEndOfHeaders = MilterProtocolFlags(rawValue: 0x40)
    static let noHeaderReply = MilterProtocolFlags(rawValue: 0x80)
    static let noUnknown = MilterProtocolFlags(rawValue: 0x100)
    static let noData = MilterProtocolFlags(rawValue: 0x200)
    static let skip = MilterProtocolFlags(rawValue: 0x400)
    static let noConnectReply = MilterProtocolFlags(rawValue: 0x1000)
    static let noHeloReply = MilterProtocolFlags(rawValue: 0x2000)
    static let noMailReply = MilterProtocolFlags(rawValue: 0x4000)
    static let noRcptReply = MilterProtocolFlags(rawValue: 0x8000)
    static let noDataReply = MilterProtocolFlags(rawValue: 0x10000)
    static let noUnknownReply = MilterProtocolFlags(rawValue: 0x20000)
    static let noEndOfHeadersReply = MilterProtocolFlags(rawValue: 0x40000)
    static let noBodyReply = MilterProtocolFlags(rawValue: 0x80000)
    static let leadingSpace = MilterProtocolFlags(rawValue: 0x100000)
    /// What we can do of it, by version, as mfdef.h has it: 2 knows the first seven (SMFIP_V2_PROT), 3 brought the unknown
    /// command, 4 DATA, 6 the rest. Not offered: recipients that somebody else refused (SMFIP_RCPT_REJ), larger chunks.
    static func offered(version: UInt32) -> MilterProtocolFlags {
        switch version {
        case 6...: MilterProtocolFlags(rawValue: 0x1f_f7ff)
        case 4, 5: MilterProtocolFlags(rawValue: 0x37f)
        case 3: MilterProtocolFlags(rawValue: 0x17f)
        default: MilterProtocolFlags(rawValue: 0x7f)
        }
    }
}

/// What a filter says.
enum MilterReplyPacket: Sendable, Hashable {
    case `continue`, accept, reject, tempfail, discard, skip, progress
    /// The client is to be sent away with 421 (SMFIR_SHUTDOWN).
    case shutdown
    /// The milter gives up (SMFIR_CONN_FAIL).
    case connectionFailure
    /// `550 5.7.1 text`, perhaps of several lines.
    case replyCode(String)
    case addHeader(name: String, value: [UInt8])
    case insertHeader(index: Int, name: String, value: [UInt8])
    case changeHeader(occurrence: Int, name: String, value: [UInt8])
    case addRecipient(String, parameters: String)
    case deleteRecipient(String)
    case changeSender(String, parameters: String)
    case replaceBody([UInt8])
    case quarantine(String)
    case negotiate(version: UInt32, actions: MilterActions, flags: MilterProtocolFlags, macros: [UInt32: [String]])

    /// Whether it ends the wait for an answer; modifications and progress do not.
    var isFinal: Bool {
        switch self {
        case .continue, .accept, .reject, .tempfail, .discard, .skip, .shutdown, .connectionFailure, .replyCode, .negotiate: true
        default: false
        }
    }

    /// - Returns: nil for a packet that is no reply of the protocol, or is cut short.
    init?(code: UInt8, data: [UInt8]) {
        var reader = MilterReader(data)
        switch code {
        case 0x63: self = .continue
        case 0x61: self = .accept
        case 0x72: self = .reject
        case 0x74: self = .tempfail
        case 0x64: self = .discard
        case 0x73: self = .skip
        case 0x70: self = .progress
        case 0x34: self = .shutdown
        case 0x66: self = .connectionFailure
        case 0x79: self = .replyCode(String(decoding: reader.text(), as: UTF8.self))
        case 0x68: self = .addHeader(name: reader.string(), value: reader.text())
        case 0x69:
            guard let index = reader.number() else { return nil }
            self = .insertHeader(index: Int(index), name: reader.string(), value: reader.text())
        case 0x6d:
            guard let index = reader.number() else { return nil }
            self = .changeHeader(occurrence: Int(index), name: reader.string(), value: reader.text())
        case 0x2b: self = .addRecipient(reader.string(), parameters: "")
        case 0x32: self = .addRecipient(reader.string(), parameters: reader.string())
        case 0x2d: self = .deleteRecipient(reader.string())
        case 0x65: self = .changeSender(reader.string(), parameters: reader.string())
        case 0x62: self = .replaceBody(data)
        case 0x71: self = .quarantine(reader.string())
        case 0x4f:
            guard let version = reader.number(), let actions = reader.number(), let flags = reader.number() else { return nil }
            self = .negotiate(version: version, actions: MilterActions(rawValue: actions), flags: MilterProtocolFlags(rawValue: flags), macros: reader.macroLists())
        default: return nil
        }
    }
}

/// Reads a packet's data: numbers in network order, texts that end with NUL.
private struct MilterReader {
    private var rest: ArraySlice<UInt8>

    init(_ data: [UInt8]) { rest = data[...] }

    mutating func number() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Up to NUL, or the end where an MTA's peer left it out.
    mutating func text() -> [UInt8] {
        let found = rest.prefix { $0 != 0 }
        rest = rest.dropFirst(found.count + 1)
        return Array(found)
    }

    mutating func string() -> String { String(decoding: text(), as: UTF8.self) }

    /// SMFIC_OPTNEG's tail: a stage's number, then its macro names with blanks between.
    mutating func macroLists() -> [UInt32: [String]] {
        var out: [UInt32: [String]] = [:]
        while let stage = number() { out[stage] = string().split(separator: " ").map(String.init) }
        return out
    }
}

/// Builds a packet.
struct MilterPacketWriter {
    private(set) var bytes: [UInt8]

    init(_ code: MilterCommandCode) { bytes = [0, 0, 0, 0, code.rawValue] }

    mutating func number(_ value: UInt32) { bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    /// With its NUL; NULs within are left out.
    mutating func text(_ text: some Sequence<UInt8>) { bytes += text.filter { $0 != 0 } + [0] }
    mutating func text(_ text: String) { self.text(text.utf8) }
    mutating func raw(_ octets: some Sequence<UInt8>) { bytes += octets }

    /// The packet with its length in place.
    consuming func finish() -> [UInt8] {
        var out = bytes
        let length = UInt32(out.count - 4)
        for place in 0..<4 { out[place] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(place))) }
        return out
    }
}
