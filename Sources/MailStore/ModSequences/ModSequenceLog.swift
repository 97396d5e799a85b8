/// What `postern-modseq` holds: the mod-sequence of each message (RFC 7162), beside the flags it was given for, and
/// which UIDs went when.
///
/// The Maildir stays the truth. A message whose flags are not those in the log was changed while nobody looked, and gets
/// a new number; where the file is missing every message gets one. Numbers come from the clock (microseconds) and never
/// go back, so a lost file or a lost last line costs clients one synchronisation and no change: what they hold is older
/// than whatever is given next.
///
///     postern-modseq 1 1764000000000000
///     12 1764000000000001 FSa
///     13 1764000000000002 !
///
/// The header's number is the horizon: what went before it is not remembered. `!` says that the message went, `-` stands
/// for no flags. Lines are appended; the last for a UID counts, and a line that a crash cut short counts for nothing.
struct ModSequenceLog: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        var modSequence: UInt64
        var flags: MessageFlags
        var keywords: UInt32
    }

    /// Before this mod-sequence expunges are not remembered.
    var horizon: UInt64
    var entries: [UInt32: Entry] = [:]
    var vanished: [UInt32: UInt64] = [:]
    var lines = 0

    fileprivate static let magic = "postern-modseq 1 "

    init(horizon: UInt64) { self.horizon = horizon }

    /// - Returns: nil for a file that is not such a log, or ends within a line: then it must be written anew.
    init?(parsing bytes: [UInt8]) {
        guard bytes.last == 10 else { return nil }
        guard let headerEnd = bytes.firstIndex(of: 10) else { return nil }
        let header = String(decoding: bytes[..<headerEnd], as: UTF8.self)
        guard header.hasPrefix(Self.magic), let horizon = UInt64(header.dropFirst(Self.magic.count)) else { return nil }
        self.horizon = horizon
        entries.reserveCapacity(bytes.count / 28)
        var rest = bytes[(headerEnd + 1)...]
        while let end = rest.firstIndex(of: 10) {
            if end > rest.startIndex { take(rest[..<end]) }
            rest = rest[(end + 1)...]
        }
    }

    /// The highest number given.
    var highest: UInt64 { max(horizon, entries.values.map(\.modSequence).max() ?? 0, vanished.values.max() ?? 0) }

    /// `<uid> <mod-sequence> <letters>`
    private mutating func take(_ row: ArraySlice<UInt8>) {
        lines += 1
        guard let first = row.firstIndex(of: 32), let second = row[(first + 1)...].firstIndex(of: 32), second + 1 < row.endIndex,
            let uid = Self.number(row[..<first]), uid <= UInt32.max, let value = Self.number(row[(first + 1)..<second]) else { return }
        if row[second + 1] == 33 {
            entries[UInt32(uid)] = nil
            vanished[UInt32(uid)] = value
        } else {
            let info = MaildirInfo(letters: row[(second + 1)...])
            entries[UInt32(uid)] = Entry(modSequence: value, flags: info.flags, keywords: info.keywords)
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...19).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + UInt64(digit - 48)
        }
        return value
    }

}

/// Lines of a ``ModSequenceLog``, to be written.
struct ModSequenceLines: Sendable {
    private(set) var octets: [UInt8] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Lines to be appended to a log.
    init() {}

    /// A whole log.
    init(horizon: UInt64, expecting lines: Int) {
        octets = Array("\(ModSequenceLog.magic)\(horizon)\n".utf8)
        octets.reserveCapacity(octets.count + lines * 32)
    }

    mutating func append(_ uid: UInt32, _ flags: MessageFlags, _ keywords: UInt32, _ value: UInt64) {
        begin(uid, value)
        let end = octets.count
        MaildirInfo(flags: flags, keywords: keywords).appendLetters(to: &octets)
        if octets.count == end { octets.append(45) }
        octets.append(10)
    }

    mutating func append(vanished uid: UInt32, _ value: UInt64) {
        begin(uid, value)
        octets.append(33)
        octets.append(10)
    }

    private mutating func begin(_ uid: UInt32, _ value: UInt64) {
        octets.append(decimal: UInt64(uid))
        octets.append(32)
        octets.append(decimal: value)
        octets.append(32)
        count += 1
    }
}
