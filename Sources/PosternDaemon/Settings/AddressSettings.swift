import Aliases
import InternetMessage
import NetworkAddress

/// A table's source file, as Postfix names it: `"hash:/etc/aliases"`, or the path alone. The type says only how Postfix
/// keeps the table; what is read here is the text that it is made from.
public struct TableSetting: SettingValue, Hashable {
    public let path: String

    public static var typeName: String { "table" }
    private static let types = ["hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"]

    public init(_ item: TOMLItem, baseFolder: String) throws {
        let wanted = SettingMismatch("a table's source file such as \"/etc/aliases\" or \"hash:/etc/postfix/virtual\"")
        guard case .string(let text) = item, !text.isEmpty else { throw wanted }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].contains("/") {
            guard Self.types.contains(String(parts[0])) else {
                throw SettingMismatch("a file (\(Self.types.joined(separator: ", "))): tables of type \"\(parts[0])\" are not read")
            }
            path = try FilePath(.string(String(parts[1])), baseFolder: baseFolder).path
        } else {
            path = try FilePath(item, baseFolder: baseFolder).path
        }
        guard !path.isEmpty else { throw wanted }
    }

    public var tomlText: String { path.tomlText }
}

/// `[virtual_aliases]`: a virtual table in the settings themselves.
public struct VirtualAliasSetting: SettingValue {
    public let table: VirtualTable
    private let pairs: [(key: String, list: String)]

    public static var typeName: String { "table of address = addresses" }

    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .table(let entries) = item else { throw SettingMismatch("a table: [virtual_aliases] with lines such as \"sales@example.org\" = \"alice@example.org, bob@example.net\"") }
        var table = VirtualTable(), pairs: [(key: String, list: String)] = []
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
            let list: String
            switch value {
            case .string(let text): list = text
            case .array: list = try [String](value, baseFolder: baseFolder).joined(separator: ", ")
            default: throw SettingMismatch("addresses in quotes, with commas between", place: "." + key)
            }
            do throws(TableFault) { try table.add(key, list, place: "virtual_aliases") } catch {
                throw SettingMismatch("an alias that can be: \(error.text)", place: "." + key)
            }
            pairs.append((key, list))
        }
        (self.table, self.pairs) = (table, pairs)
    }

    init() { (table, pairs) = (VirtualTable(), []) }

    public var tomlText: String { pairs.isEmpty ? "{}" : "{ " + pairs.map { "\($0.key.tomlText) = \($0.list.tomlText)" }.joined(separator: ", ") + " }" }
}

/// `catch_all`: whose the rest of a domain is.
public struct CatchAllSetting: SettingValue, Hashable {
    /// An account's name or one of its addresses.
    public let accounts: [DomainName: String]

    public static var typeName: String { "table of domain = account" }

    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .table(let entries) = item else { throw SettingMismatch("a table such as { \"example.org\" = \"alice@example.org\" }") }
        var accounts: [DomainName: String] = [:]
        for (key, value) in entries {
            guard let domain = DomainName(key), domain.isHostName else { throw SettingMismatch("of a domain such as \"example.org\", not \"\(key)\"", place: "." + key) }
            guard case .string(let name) = value, !name.isEmpty else { throw SettingMismatch("an account's name in quotes", place: "." + key) }
            accounts[domain] = name
        }
        self.accounts = accounts
    }

    init() { accounts = [:] }

    public var tomlText: String {
        let pairs = accounts.sorted { $0.key.text < $1.key.text }
        return pairs.isEmpty ? "{}" : "{ " + pairs.map { "\($0.key.tomlText) = \($0.value.tomlText)" }.joined(separator: ", ") + " }"
    }
}

/// What `propagate_unmatched_extensions` may name. Only `virtual` and `alias` mean something here; the other words of
/// Postfix are taken, so that a setting may be copied.
public enum ExtensionPropagation: String, CaseIterable, Sendable { case canonical, virtual, alias, forward, include, generic }
