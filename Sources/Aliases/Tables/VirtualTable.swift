import InternetMessage
import NetworkAddress

/// A table in virtual(5)'s syntax: addresses of any domain and where their mail goes.
///
///     alice@example.org   alice@home.example, bob@elsewhere.example
///     sales               alice
///     @example.net        @example.org
///     example.net         anything
///
/// The last line makes `example.net` a domain of ours, whose addresses are all in the table.
public struct VirtualTable: Sendable {
    private enum Key: Hashable {
        case address(EmailAddress)
        case name(String)
        case domain(EmailAddress.Domain)
    }

    private var entries: [Key: [AliasTarget]] = [:]
    public private(set) var remarks: [String] = []
    /// Domains that a line of their own makes ours.
    public private(set) var domains: Set<DomainName> = []
    /// The left-hand sides as written, in lower case.
    public private(set) var keys: [String] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// For `user@domain`, folded.
    func targets(of address: EmailAddress) -> [AliasTarget]? { entries[.address(address)] }
    /// For `user`, which stands for that name in each domain of ours.
    func targets(ofName name: String) -> [AliasTarget]? { entries[.name(name)] }
    /// For `@domain`.
    func targets(ofDomain domain: EmailAddress.Domain) -> [AliasTarget]? { entries[.domain(domain)] }
    /// Domains with an `@domain` line.
    public var wholeDomains: [EmailAddress.Domain] { entries.keys.compactMap { if case .domain(let domain) = $0 { domain } else { nil } } }

    /// Adds what a table's text says: on each line a key, white space, and the targets.
    /// - Throws: ``TableError`` with every fault; nothing is added then.
    public mutating func add(_ text: String, file: String) throws(TableError) {
        var faults: [TableFault] = [], fresh = self
        do throws(TableFault) {
            for line in try LogicalLine.all(in: text) {
                do throws(TableFault) {
                    let (key, rest) = Self.split(line.text)
                    try fresh.add(key, rest, line: line.number, place: "\(file):\(line.number)")
                } catch { faults.append(error.inFile(file)) }
            }
        } catch { faults.append(error.inFile(file)) }
        guard faults.isEmpty else { throw TableError(faults: faults) }
        self = fresh
    }

    /// Adds one entry.
    /// - Parameter place: where it stands, for the remark that it is there already.
    /// - Throws: ``TableFault``.
    public mutating func add(_ key: String, _ list: String, line: Int? = nil, place: String = "") throws(TableFault) {
        // The line that makes a domain ours has a right-hand side, but it means nothing.
        if !key.contains("@"), key.contains("."), let domain = DomainName(key), entries[.name(key.lowercased())] == nil { domains.insert(domain) }
        let targets: [AliasTarget]
        do throws(TableFault) { targets = try TargetList.parse(list, line: line ?? 0, table: .virtual) } catch { throw TableFault(line: line, error.text) }
        guard let key = Self.key(key) else { throw TableFault(line: line, "\"\(key)\" is no key: write user@domain, user or @domain") }
        guard !targets.isEmpty else { throw TableFault(line: line, "\"\(key.text)\" leads nowhere: write the address behind it") }
        for target in targets {
            if case .final(let name) = target { throw TableFault(line: line, "\"\\\(name)\": the backslash is for alias_maps, not for virtual aliases") }
        }
        guard entries[key.key] == nil else {
            remarks.append("\(place): \"\(key.text)\" stands above already; this line has no effect")
            return
        }
        entries[key.key] = targets
        keys.append(key.text)
    }

    private static func key(_ text: String) -> (key: Key, text: String)? {
        if text.hasPrefix("@") { return EmailAddress("x" + text).map { (.domain($0.domain), text.lowercased()) } }
        if let address = EmailAddress(text) { return (.address(address.folded), address.folded.description) }
        return TableName.isFit(text) && !text.contains("@") ? (.name(text.lowercased()), text.lowercased()) : nil
    }

    /// At the first white space outside of quotes.
    private static func split(_ text: String) -> (String, String) {
        var isQuoted = false
        guard let cut = text.firstIndex(where: { next in
            if next == "\"" { isQuoted.toggle() }
            return !isQuoted && (next == " " || next == "\t")
        }) else { return (text, "") }
        return (String(text[..<cut]), String(text[cut...]))
    }
}
