import InternetMessage
import NetworkAddress

/// What `in` and a list's `contains` look a value up in: an inline list, or a table's file. Look-ups cost the same for
/// ten entries and for a million, but for globs, which are tried one after the other.
struct MemberSet: Sendable {
    /// Globs a set may have.
    static let patternLimit = 1_000

    private var texts: Set<String> = []
    private var addresses: Set<EmailAddress> = []
    private var domains: Set<DomainName> = []
    /// `.example.org`: names below it, not itself.
    private var parents: Set<DomainName> = []
    private var numbers: Set<Int> = []
    private var networks = NetworkSet()
    private var patterns: [PatternProgram] = []

    struct Mistake: Error {
        let message: String
        let fix: String?
    }

    /// Takes an entry written as text, for values of that type.
    /// - Throws: ``Mistake``.
    mutating func insert(_ entry: String, as type: PolicyType) throws {
        switch type {
        case .text: try insertText(entry)
        case .address: try insertAddress(entry)
        case .domain: try insertDomain(entry)
        case .ip: try insertNetwork(entry)
        case .number:
            guard let number = Lexer.number(entry) else { throw Mistake(message: "'\(entry)' is not a number", fix: nil) }
            numbers.insert(number)
        case .word(let words, _):
            guard words.contains(entry) else { throw Mistake(message: "'\(entry)' is not " + type.description, fix: nil) }
            texts.insert(entry)
        case .flag, .list, .duration: throw Mistake(message: "there are no lists of " + type.description, fix: nil)
        }
    }

    mutating func insert(_ network: IPNetwork) { networks.insert(network) }

    func contains(_ value: PolicyValue) -> Bool {
        switch value {
        case .text(let text): texts.contains(text.lowercased()) || matchesGlob(text)
        case .word(let word): texts.contains(word)
        case .number(let number): numbers.contains(number)
        case .ip(let address): networks.contains(address)
        case .domain(let name): contains(name) || (!patterns.isEmpty && matchesGlob(name.text))
        case .address(let address): contains(address)
        case .list(let values): values.contains(where: contains)
        case .flag: false
        }
    }

    private func matchesGlob(_ text: String) -> Bool { patterns.contains { $0.matches(text) } }

    private func contains(_ name: DomainName) -> Bool {
        if domains.contains(name) { return true }
        guard !parents.isEmpty else { return false }
        var next = name.parent
        while let parent = next, !parent.isRoot {
            if parents.contains(parent) { return true }
            next = parent.parent
        }
        return false
    }

    private func contains(_ address: EmailAddress) -> Bool {
        if addresses.contains(address.folded) { return true }
        if let name = address.domainName, contains(name) { return true }
        return !patterns.isEmpty && matchesGlob(address.description)
    }

    private mutating func insertText(_ entry: String) throws {
        if Glob.isGlob(entry) { try insertGlob(entry) } else { texts.insert(entry.lowercased()) }
    }

    /// `user@example.org`, `@example.org` (that domain), `@.example.org` (below it), or a glob.
    private mutating func insertAddress(_ entry: String) throws {
        if Glob.isGlob(entry) { return try insertGlob(entry) }
        if entry.hasPrefix("@") { return try insertDomain(String(entry.dropFirst())) }
        guard let address = EmailAddress(entry) else {
            throw Mistake(message: "'\(entry)' is not an address", fix: "write user@example.org, @example.org for a whole domain, or a glob such as *@example.*")
        }
        addresses.insert(address.folded)
    }

    /// `example.org`, `.example.org` or `*.example.org` (below it), or another glob.
    private mutating func insertDomain(_ entry: String) throws {
        let isParent = entry.hasPrefix(".") || entry.hasPrefix("*.")
        let rest = isParent ? String(entry.drop { $0 == "*" }.dropFirst()) : entry
        if Glob.isGlob(rest) { return try insertGlob(entry) }
        guard let name = DomainName(rest), !name.isRoot, !rest.contains("@") else {
            throw Mistake(message: "'\(entry)' is not a domain", fix: "write example.org, .example.org for all below it, or a glob")
        }
        if isParent { parents.insert(name) } else { domains.insert(name) }
    }

    private mutating func insertNetwork(_ entry: String) throws {
        guard let network = IPNetwork(entry) else {
            throw Mistake(message: "'\(entry)' is not an IP address or range", fix: "write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32")
        }
        guard network.isCanonical else {
            throw Mistake(message: "'\(entry)' has address bits behind its prefix", fix: "write \(network.canonical)")
        }
        networks.insert(network)
    }

    private mutating func insertGlob(_ entry: String) throws {
        guard patterns.count < Self.patternLimit else {
            throw Mistake(message: "more than \(Self.patternLimit) globs in one list", fix: "write whole names, or .example.org for all below a domain")
        }
        do { patterns.append(try Glob.program(entry)) } catch let error as PatternMistake { throw Mistake(message: error.message, fix: error.fix) }
    }
}

/// Networks by family and prefix length: one hash look-up for each length in use.
private struct NetworkSet: Sendable {
    private var v4: [Int: Set<[UInt8]>] = [:]
    private var v6: [Int: Set<[UInt8]>] = [:]

    mutating func insert(_ network: IPNetwork) {
        let plain = network.address.unmapped
        let isMapped = network.address.family == .v6 && plain.family == .v4 && network.prefixLength >= 96
        let address = isMapped ? plain : network.address
        let length = isMapped ? network.prefixLength - 96 : network.prefixLength
        let key = Self.masked(address.octets, length)
        if address.family == .v4 { v4[length, default: []].insert(key) } else { v6[length, default: []].insert(key) }
    }

    func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        let sets = address.family == .v4 ? v4 : v6
        return sets.contains { length, members in members.contains(Self.masked(address.octets, length)) }
    }

    private static func masked(_ octets: [UInt8], _ length: Int) -> [UInt8] {
        octets.indices.map { octets[$0] & UInt8(truncatingIfNeeded: 0xff00 >> min(max(length - $0 * 8, 0), 8)) }
    }
}
