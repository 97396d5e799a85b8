import MilterClient

/// One entry of `milters`: the filters of this program, or a foreign milter.
public enum MilterLink: SettingValue, Hashable {
    case builtIn
    case foreign(MilterAddress)

    public static var typeName: String { "milter" }

    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item else { throw SettingMismatch("\"builtin\", \"inet:host:port\" or \"unix:/path\"") }
        if text == "builtin" {
            self = .builtIn
        } else if let address = MilterAddress(text) {
            self = .foreign(address)
        } else {
            throw SettingMismatch("\"builtin\", \"inet:host:port\" or \"unix:/path\"")
        }
    }

    public var tomlText: String {
        switch self {
        case .builtIn: "\"builtin\""
        case .foreign(let address): address.description.tomlText
        }
    }
}
