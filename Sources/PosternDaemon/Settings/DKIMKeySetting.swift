import Policy
import NetworkAddress

/// One `[[dkim]]` table: a key that signs a domain's mail.
public struct DKIMKeySetting: SettingValue, Hashable {
    public let domain: DomainName
    public let selector: String
    public let keyFile: FilePath
    /// Whether it also signs for `From:` domains below its own.
    public let subdomains: Bool

    public init(domain: DomainName, selector: String, keyFile: FilePath, subdomains: Bool = false) {
        self.domain = domain
        self.selector = selector
        self.keyFile = keyFile
        self.subdomains = subdomains
    }

    public static var typeName: String { "table of domain, selector, key_file, subdomains" }
    static let keys = ["domain", "selector", "key_file", "subdomains"]

    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .table(let table) = item else {
            throw SettingMismatch("a table: [[dkim]] with domain, selector and key_file")
        }
        if let unknown = table.keys.sorted().first(where: { !Self.keys.contains($0) }) {
            let near = Spelling.nearest(to: unknown, among: Self.keys).map { "; did you mean \($0)?" } ?? ""
            throw SettingMismatch("only \(Self.keys.joined(separator: ", "))\(near)", place: ".\(unknown)")
        }
        func field<Value: SettingValue>(_ name: String, _ type: Value.Type) throws -> Value {
            guard let item = table[name] else { throw SettingMismatch("a value: it is missing", place: ".\(name)") }
            do { return try Value(item, baseFolder: baseFolder) } catch let mismatch as SettingMismatch {
                throw SettingMismatch(mismatch.wanted, place: ".\(name)" + mismatch.place)
            }
        }
        domain = try field("domain", DomainName.self)
        selector = try field("selector", String.self)
        keyFile = try field("key_file", FilePath.self)
        subdomains = table["subdomains"] == nil ? false : try field("subdomains", Bool.self)
        guard let name = DomainName(selector), !name.isRoot else {
            throw SettingMismatch("a selector of letters, digits, hyphens and dots", place: ".selector")
        }
    }

    public var tomlText: String {
        "{ domain = \(domain.tomlText), selector = \(selector.tomlText), key_file = \(keyFile.tomlText), subdomains = \(subdomains.tomlText) }"
    }
}
