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
        let uid: UInt32
        let modSequence: UInt64
        let flags: MessageFlags
        let keywords: UInt32
        fileprivate let line: UInt32
        fileprivate let isGone: Bool
    }

    /// Before this mod-sequence expunges are not remembered.
    var horizon: UInt64
    /// Ascending by UID.
    private(set) var entries: ContiguousArray<Entry> = []
    private(set) var vanished: [UInt32: UInt64] = [:]
    private(set) var lines = 0

    fileprivate static let magic = "postern-modseq 1 "

    init(horizon: UInt64) { self.horizon = horizon }

    /// - Returns: nil for a file that is not such a log, or ends within a line: then it must be written anew.
    init?(parsing bytes: [UInt8]) {
        guard bytes.last == 10 else { return nil }
        guard let headerEnd = bytes.firstIndex(of: 10) else { return nil }
        let header = String(decoding: bytes[..<headerEnd], as: UTF8.self)
        guard header.hasPrefix(Self.magic), let horizon = UInt64(header.dropFirst(Self.magic.count)) else { return nil }
        self.horizon = horizon
        entries.reserveCapacity(bytes.count / 26)
        bytes[(headerEnd + 1)...].withUnsafeBufferPointer { all in
            var rest = all
            while !rest.isEmpty {
                let end = rest.firstPlace(of: 10)
                if end > 0 { take(UnsafeBufferPointer(rebasing: rest[..<end])) }
                rest = UnsafeBufferPointer(rebasing: rest[min(end + 1, rest.count)...])
            }
        }
        keepLastOfEach()
    }

    /// The highest number given.
    var highest: UInt64 { max(horizon, entries.lazy.map(\.modSequence).max() ?? 0, vanished.values.max() ?? 0) }

    /// `<uid> <mod-sequence> <letters>`
    private mutating func take(_ row: UnsafeBufferPointer<UInt8>) {
        lines += 1
        let first = row.firstPlace(of: 32)
        guard first < row.count else { return }
        let rest = UnsafeBufferPointer(rebasing: row[(first + 1)...]), second = rest.firstPlace(of: 32)
        guard second + 1 < rest.count, let number = UInt64(decimal: row[..<first], limit: 19), let uid = UInt32(exactly: number), let value = UInt64(decimal: rest[..<second], limit: 19) else { return }
        let isGone = rest[second + 1] == 33, info = isGone ? MaildirInfo() : MaildirInfo(letters: rest[(second + 1)...])
        if isGone { vanished[uid] = value }
        entries.append(Entry(uid: uid, modSequence: value, flags: info.flags, keywords: info.keywords, line: UInt32(truncatingIfNeeded: lines), isGone: isGone))
    }

    /// As a rule the lines ascend by UID, and what was appended since follows.
    private mutating func keepLastOfEach() {
        var isInOrder = true
        for index in entries.indices.dropFirst() where entries[index - 1].uid >= entries[index].uid { isInOrder = false }
        if !isInOrder { entries.sort { ($0.uid, $0.line) < ($1.uid, $1.line) } }
        guard !isInOrder || !vanished.isEmpty else { return }
        var kept: ContiguousArray<Entry> = []
        kept.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            let isLast = index + 1 == entries.count || entries[index + 1].uid != entry.uid
            if isLast, !entry.isGone { kept.append(entry) }
        }
        entries = kept
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
