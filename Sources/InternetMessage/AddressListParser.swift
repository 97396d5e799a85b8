/// One pass over the value; every step moves forward, so the time is linear.
struct AddressListParser {
    private var scanner: FieldScanner
    private var isWellFormed = true
    private var count = 0

    /// Whether `root` is an address: one word, to be completed by its domain.
    private let allowsBareNames: Bool

    init(_ value: some Collection<UInt8>, allowsBareNames: Bool = false) {
        scanner = FieldScanner(value)
        self.allowsBareNames = allowsBareNames
    }

    mutating func list() -> AddressList {
        var entries: [AddressList.Entry] = []
        while let entry = nextEntry() { entries.append(entry) }
        return AddressList(entries: entries, isWellFormed: isWellFormed && !entries.isEmpty)
    }

    private mutating func nextEntry() -> AddressList.Entry? {
        while true {
            scanner.skipCFWS()
            // obs-addr-list: empty elements.
            if scanner.take(44) { continue }
            guard !scanner.atEnd, hasRoom() else { return nil }
            guard let entry = address() else {
                recover()
                continue
            }
            scanner.skipCFWS()
            if !scanner.atEnd, scanner.peek != 44 { recover() }
            return entry
        }
    }

    private mutating func hasRoom() -> Bool {
        count += 1
        if count > AddressList.limit { isWellFormed = false }
        return count <= AddressList.limit
    }

    /// Skips to the next comma that no quoted string or comment holds.
    private mutating func recover() {
        isWellFormed = false
        while let byte = scanner.peek, byte != 44 {
            if byte == 34, scanner.quotedString() != nil { continue }
            if byte == 40 { scanner.skipCFWS() } else { scanner.position += 1 }
        }
    }

    /// `mailbox / group`
    private mutating func address() -> AddressList.Entry? {
        if scanner.peek == 60 { return angle(name: nil).map { .mailbox($0) } }
        scanner.forgetComment()
        let words = phrase()
        switch scanner.peek {
        case 60: return angle(name: words.joined).map { .mailbox($0) }
        case 58:
            scanner.position += 1
            return .group(name: words.joined ?? [], members: groupMembers())
        default: return bare(words).map { .mailbox($0) }
        }
    }

    private mutating func groupMembers() -> [AddressList.Mailbox] {
        var members: [AddressList.Mailbox] = []
        while true {
            scanner.skipCFWS()
            if scanner.take(59) { return members }
            if scanner.take(44) { continue }
            guard !scanner.atEnd, hasRoom() else {
                isWellFormed = false
                return members
            }
            let start = scanner.position
            if let member = member() { members.append(member) }
            scanner.skipCFWS()
            if scanner.position == start || (scanner.peek != 44 && scanner.peek != 59) { recoverInGroup() }
        }
    }

    private mutating func member() -> AddressList.Mailbox? {
        if scanner.peek == 60 { return angle(name: nil) }
        let words = phrase()
        return scanner.peek == 60 ? angle(name: words.joined) : bare(words)
    }

    private mutating func recoverInGroup() {
        isWellFormed = false
        while let byte = scanner.peek, byte != 44, byte != 59 {
            if byte == 34, scanner.quotedString() != nil { continue }
            if byte == 40 { scanner.skipCFWS() } else { scanner.position += 1 }
        }
    }

    /// Words before `<`, `:` or `@`, kept apart, since they are either a display name or a local part.
    private struct Words {
        var name: [UInt8] = []
        /// The same without any blanks: the local part if an `@` follows.
        var local: [UInt8] = []
        var isEmpty = true
        var joined: [UInt8]? { isEmpty ? nil : name }
        /// Blanks between words, which no local part has.
        var isSpaced: Bool { name.count != local.count }
    }

    /// `1*word` with obs-phrase's dots. Stops at anything else.
    private mutating func phrase() -> Words {
        var words = Words()
        while true {
            let spaced = scanner.skipCFWS()
            let word: [UInt8]
            if scanner.peek == 34 {
                guard let quoted = scanner.quotedString() else { return words }
                word = quoted
            } else if let atom = scanner.atom() {
                word = Array(atom)
            } else if scanner.take(46) {
                word = [46]
            } else {
                return words
            }
            if spaced, !words.isEmpty { words.name.append(32) }
            words.name += word
            words.local += word
            words.isEmpty = false
        }
    }

    /// An addr-spec without angle brackets, its display name perhaps in a comment: `pete@x (Pete)`.
    private mutating func bare(_ words: Words) -> AddressList.Mailbox? {
        guard !words.isEmpty else { return nil }
        if allowsBareNames, words.isSpaced { isWellFormed = false }
        guard scanner.take(64) else {
            if !allowsBareNames { isWellFormed = false }
            let name = allowsBareNames && !scanner.lastComment.isEmpty ? scanner.lastComment : nil
            return AddressList.Mailbox(name: name, localPart: text(words.local), domain: "")
        }
        guard let domain = domain() else { return nil }
        scanner.forgetComment()
        scanner.skipCFWS()
        return AddressList.Mailbox(name: scanner.lastComment.isEmpty ? nil : scanner.lastComment, localPart: text(words.local), domain: domain)
    }

    /// `"<" [obs-route] addr-spec ">"`
    private mutating func angle(name: [UInt8]?) -> AddressList.Mailbox? {
        guard scanner.take(60) else { return nil }
        scanner.skipCFWS()
        let route = scanner.peek == 64 || scanner.peek == 44 ? obsoleteRoute() : nil
        let words = phrase()
        var domain = ""
        if scanner.take(64) {
            guard let found = self.domain() else { return nil }
            domain = found
        } else if !allowsBareNames || words.isEmpty || words.isSpaced {
            isWellFormed = false
        }
        scanner.skipCFWS()
        guard scanner.take(62) else { return nil }
        return AddressList.Mailbox(name: name, localPart: text(words.local), domain: domain, route: route)
    }

    /// `obs-route = obs-domain-list ":"`
    private mutating func obsoleteRoute() -> String? {
        var hosts: [String] = []
        while !scanner.atEnd {
            scanner.skipCFWS()
            if scanner.take(44) { continue }
            guard scanner.take(64), let host = domain() else { break }
            hosts.append("@" + host)
        }
        scanner.skipCFWS()
        if !scanner.take(58) { isWellFormed = false }
        return hosts.isEmpty ? nil : hosts.joined(separator: ",")
    }

    /// `dot-atom / domain-literal / obs-domain`
    private mutating func domain() -> String? {
        scanner.skipCFWS()
        if scanner.peek == 91 { return literal() }
        var out: [UInt8] = []
        while true {
            guard let atom = scanner.atom() else { break }
            out += atom
            let before = scanner
            scanner.skipCFWS()
            guard scanner.take(46) else {
                scanner = before
                break
            }
            out.append(46)
            scanner.skipCFWS()
        }
        if out.last == 46 { isWellFormed = false }
        return out.isEmpty ? nil : text(out)
    }

    private mutating func literal() -> String? {
        var out: [UInt8] = []
        while let byte = scanner.peek {
            scanner.position += 1
            if byte == 92, let next = scanner.peek {
                scanner.position += 1
                out.append(next)
            } else if !FieldScanner.isBlank(byte) {
                out.append(byte)
            }
            if byte == 93 { return text(out) }
        }
        return nil
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
