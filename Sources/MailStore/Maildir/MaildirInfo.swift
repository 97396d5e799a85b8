/// What stands behind a Maildir file's base name: flags and keyword letters.
struct MaildirInfo: Hashable, Sendable {
    var flags: MessageFlags = []
    /// Bit n is the keyword letter `a` + n, an index into `dovecot-keywords`.
    var keywords: UInt32 = 0

    init(flags: MessageFlags = [], keywords: UInt32 = 0) {
        self.flags = flags
        self.keywords = keywords
    }

    /// Of a whole name's octets. An info part other than `2,` is foreign and read as no flags.
    /// - Parameter count: of the base.
    init(of octets: UnsafeBufferPointer<UInt8>, base count: Int) {
        guard octets.count >= count + 3, octets[count + 1] == 50, octets[count + 2] == 44 else { return }
        take(octets[(count + 3)...])
    }

    /// Of flag and keyword letters alone.
    init(letters: some Sequence<UInt8>) { take(letters) }

    private mutating func take(_ letters: some Sequence<UInt8>) {
        for letter in letters {
            // A comma would begin a later extension of the format.
            if letter == 44 { break }
            if (97...122).contains(letter) { keywords |= 1 << UInt32(letter - 97) } else { flags.formUnion(MessageFlags(letter: letter)) }
        }
    }

    /// Whether the name whose octets these are, and of which this was read, is spelt as this program spells it: the base in
    /// `new`, `base:2,letters` with the letters in order in `cur`.
    /// - Parameter count: of the base.
    func isSpelling(_ octets: UnsafeBufferPointer<UInt8>, base count: Int, isNew: Bool) -> Bool {
        guard !isNew else { return octets.count == count }
        guard octets.count >= count + 3, octets[count + 1] == 50, octets[count + 2] == 44 else { return false }
        var rest = octets[(count + 3)...]
        for (letter, flag) in MessageFlags.letters where flags.contains(flag) { guard rest.popFirst() == letter else { return false } }
        guard keywords != 0 else { return rest.isEmpty }
        for index in 0..<UInt32(26) where keywords & 1 << index != 0 { guard rest.popFirst() == UInt8(97 + index) else { return false } }
        return rest.isEmpty
    }

    /// `:2,` and the letters in ASCII order, as the format demands.
    var text: String {
        var octets: [UInt8] = []
        octets.reserveCapacity(16)
        append(to: &octets)
        return String(decoding: octets, as: UTF8.self)
    }

    func append(to out: inout [UInt8]) {
        out += [58, 50, 44]
        appendLetters(to: &out)
    }

    /// The letters alone, in ASCII order.
    func appendLetters(to out: inout [UInt8]) {
        for (letter, flag) in MessageFlags.letters where flags.contains(flag) { out.append(letter) }
        guard keywords != 0 else { return }
        for index in 0..<UInt32(26) where keywords & 1 << index != 0 { out.append(UInt8(97 + index)) }
    }
}
