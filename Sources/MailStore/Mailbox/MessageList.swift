/// A folder's messages, ascending by UID.
///
/// They lie in blocks, which copies share: a change in a folder of 200,000 copies one block, and two versions of the
/// folder are compared by looking into the blocks that they do not share. Counts are kept, so that nothing walks over all.
public struct MessageList: Sendable {
    static let blockSize = 512

    private var blocks: [ContiguousArray<StoredMessage>] = []
    /// The index of each block's first message.
    private var starts: [Int] = []
    private var tallies: [Tally] = []
    public private(set) var count = 0
    /// Of all messages.
    public private(set) var tally = Tally()

    /// How many have what.
    public struct Tally: Sendable, Hashable {
        /// Still in `new`.
        public fileprivate(set) var new = 0
        public fileprivate(set) var unseen = 0
        public fileprivate(set) var deleted = 0

        fileprivate mutating func take(_ message: StoredMessage, _ sign: Int) {
            if message.isNew { new += sign }
            if !message.flags.contains(.seen) { unseen += sign }
            if message.flags.contains(.deleted) { deleted += sign }
        }
    }

    public init() {}

    /// - Parameter messages: ascending by UID.
    init(_ messages: some RandomAccessCollection<StoredMessage>) {
        blocks.reserveCapacity(messages.count / Self.blockSize + 1)
        var rest = messages[...]
        while !rest.isEmpty {
            append(block: ContiguousArray(rest.prefix(Self.blockSize)))
            rest = rest.dropFirst(Self.blockSize)
        }
    }

    private mutating func append(block: ContiguousArray<StoredMessage>) {
        var mine = Tally()
        for message in block {
            mine.take(message, 1)
            tally.take(message, 1)
        }
        blocks.append(block)
        starts.append(count)
        tallies.append(mine)
        count += block.count
    }

    // MARK: Finding

    /// nil when there is no such message.
    public func index(ofUID uid: UInt32) -> Int? {
        let index = lowerBound(uid)
        return index < count && self[index].uid == uid ? index : nil
    }

    /// The index of the first message whose UID is not less.
    public func lowerBound(_ uid: UInt32) -> Int {
        var low = 0, high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if (blocks[middle].last?.uid ?? 0) < uid { low = middle + 1 } else { high = middle }
        }
        guard low < blocks.count else { return count }
        let block = blocks[low]
        var first = 0, end = block.count
        while first < end {
            let middle = (first + end) / 2
            if block[middle].uid < uid { first = middle + 1 } else { end = middle }
        }
        return starts[low] + first
    }

    /// UIDs of the messages still in `new`, ascending.
    public var newUIDs: [UInt32] {
        guard tally.new > 0 else { return [] }
        return blocks.indices.filter { tallies[$0].new > 0 }.flatMap { blocks[$0].filter(\.isNew).map(\.uid) }
    }

    /// UIDs of the messages with `\Deleted`, ascending.
    public var deletedUIDs: [UInt32] {
        guard tally.deleted > 0 else { return [] }
        return blocks.indices.filter { tallies[$0].deleted > 0 }.flatMap { blocks[$0].filter { $0.flags.contains(.deleted) }.map(\.uid) }
    }

    /// The index of the first message without `\Seen`.
    public var firstUnseen: Int? {
        for (position, tally) in tallies.enumerated() where tally.unseen > 0 {
            return blocks[position].firstIndex { !$0.flags.contains(.seen) }.map { starts[position] + $0 }
        }
        return nil
    }

    // MARK: Changing

    /// Another version of the message at the index; its UID stays.
    public mutating func replace(at index: Int, with message: StoredMessage) {
        let block = self.block(of: index), place = index - starts[block]
        retally(block, blocks[block][place], -1)
        blocks[block][place] = message
        retally(block, message, 1)
    }

    /// Gives every message its mod-sequence, in place. The closure is given no whole message: counting a name's users
    /// 200,000 times takes as long as everything else here.
    mutating func setModSequences(_ value: (_ uid: UInt32, MessageFlags, _ keywordBits: UInt32) -> UInt64) {
        for block in blocks.indices {
            blocks[block].withUnsafeMutableBufferPointer { messages in
                for place in messages.indices { messages[place].modSequence = value(messages[place].uid, messages[place].flags, messages[place].keywordBits) }
            }
        }
    }

    /// The mod-sequences of all, ascending by UID.
    func forEachModSequence(_ body: (_ uid: UInt32, MessageFlags, _ keywordBits: UInt32, _ modSequence: UInt64) -> Void) {
        for block in blocks {
            block.withUnsafeBufferPointer { messages in
                for place in messages.indices { body(messages[place].uid, messages[place].flags, messages[place].keywordBits, messages[place].modSequence) }
            }
        }
    }

    private mutating func retally(_ block: Int, _ message: StoredMessage, _ sign: Int) {
        tallies[block].take(message, sign)
        tally.take(message, sign)
    }

    /// Adds a message where its UID belongs: as a rule at the end.
    public mutating func insert(_ message: StoredMessage) {
        let index = lowerBound(message.uid)
        if index == count, blocks.last.map({ $0.count >= Self.blockSize }) ?? true { return append(block: [message]) }
        let block = index == count ? blocks.count - 1 : self.block(of: index)
        blocks[block].insert(message, at: index - starts[block])
        retally(block, message, 1)
        count += 1
        if block + 1 < starts.count { for later in (block + 1)..<starts.count { starts[later] += 1 } }
    }

    /// Takes messages out.
    /// - Parameter uids: those that are not there are passed over.
    public mutating func remove(_ uids: some Sequence<UInt32>) {
        var doomed: [Int: Set<UInt32>] = [:]
        for uid in uids {
            if let index = index(ofUID: uid) { doomed[block(of: index), default: []].insert(uid) }
        }
        guard !doomed.isEmpty else { return }
        for (block, uids) in doomed {
            for message in blocks[block] where uids.contains(message.uid) { retally(block, message, -1) }
            blocks[block].removeAll { uids.contains($0.uid) }
        }
        let kept = blocks.indices.filter { !blocks[$0].isEmpty }
        if kept.count < blocks.count {
            blocks = kept.map { blocks[$0] }
            tallies = kept.map { tallies[$0] }
        }
        starts = []
        count = 0
        for block in blocks {
            starts.append(count)
            count += block.count
        }
    }

    private func block(of index: Int) -> Int {
        var low = 0, high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= index { low = middle } else { high = middle }
        }
        return low
    }

    // MARK: Comparing

    /// What became of an older version's messages, ascending by UID.
    public enum Difference: Sendable {
        /// With its index in the older version.
        case gone(Int, StoredMessage)
        /// With its indices in the older and in this version.
        case changed(Int, Int, StoredMessage)
        /// With its index in this version.
        case arrived(Int, StoredMessage)
    }

    /// Compares with an older version; blocks that both share are passed over.
    public func differences(from old: MessageList, _ take: (Difference) -> Void) {
        var mine = Cursor(self), other = Cursor(old)
        while true {
            if mine.isAtStart, other.isAtStart, let a = mine.block, let b = other.block, Self.areSame(a, b) {
                mine.skipBlock()
                other.skipBlock()
                continue
            }
            switch (mine.message, other.message) {
            case (nil, nil): return
            case (let new?, let old?) where new.uid == old.uid:
                if new != old { take(.changed(other.index, mine.index, new)) }
                mine.advance()
                other.advance()
            case (let new?, let old):
                if let old, old.uid < new.uid {
                    take(.gone(other.index, old))
                    other.advance()
                } else {
                    take(.arrived(mine.index, new))
                    mine.advance()
                }
            case (nil, let old?):
                take(.gone(other.index, old))
                other.advance()
            }
        }
    }

    /// Whether two arrays are one storage, which neither can change while both have it.
    private static func areSame(_ a: ContiguousArray<StoredMessage>, _ b: ContiguousArray<StoredMessage>) -> Bool {
        a.count == b.count && a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { $0.baseAddress == a.baseAddress } }
    }

    private struct Cursor {
        private let list: MessageList
        private var position = 0
        private var offset = 0
        private(set) var index = 0

        init(_ list: MessageList) { self.list = list }

        var isAtStart: Bool { offset == 0 }
        var block: ContiguousArray<StoredMessage>? { position < list.blocks.count ? list.blocks[position] : nil }
        var message: StoredMessage? { position < list.blocks.count ? list.blocks[position][offset] : nil }

        mutating func skipBlock() {
            index += list.blocks[position].count
            position += 1
        }

        mutating func advance() {
            index += 1
            offset += 1
            if offset == list.blocks[position].count { (position, offset) = (position + 1, 0) }
        }
    }
}

extension MessageList: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(index: Int) -> StoredMessage {
        let block = self.block(of: index)
        return blocks[block][index - starts[block]]
    }

    public func makeIterator() -> Iterator { Iterator(blocks) }

    public struct Iterator: IteratorProtocol {
        private let blocks: [ContiguousArray<StoredMessage>]
        private var block = 0
        private var offset = 0

        fileprivate init(_ blocks: [ContiguousArray<StoredMessage>]) { self.blocks = blocks }

        public mutating func next() -> StoredMessage? {
            guard block < blocks.count else { return nil }
            defer {
                offset += 1
                if offset == blocks[block].count { (block, offset) = (block + 1, 0) }
            }
            return blocks[block][offset]
        }
    }
}

extension MessageList: Equatable {
    public static func == (a: MessageList, b: MessageList) -> Bool {
        guard a.count == b.count else { return false }
        var isSame = true
        a.differences(from: b) { _ in isSame = false }
        return isSame
    }
}
