import LocalSocket

/// Where a server for other programs of this machine listens: `"unix:/path"`, or `"127.0.0.1:10024"`.
public enum SocketSetting: SettingValue, Hashable {
    case unix(String)
    case inet(ListenAddress)

    public static var typeName: String { "socket" }

    public init(_ item: TOMLItem, baseFolder: String) throws {
        let wanted = SettingMismatch("a socket such as \"unix:/var/spool/postfix/private/auth\" or \"127.0.0.1:10024\"")
        guard case .string(let text) = item else { throw wanted }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard (try? UnixSocket(path)) != nil else {
                throw SettingMismatch("\"unix:\" and an absolute path of at most \(UnixSocket.longestPath) octets, such as \"unix:/var/spool/postfix/private/auth\"")
            }
            self = .unix(path)
        } else {
            let inet = text.hasPrefix("inet:") ? String(text.dropFirst(5)) : text
            guard let address = try? ListenAddress(.string(inet), baseFolder: baseFolder) else { throw wanted }
            self = .inet(address)
        }
    }

    public var tomlText: String {
        switch self {
        case .unix(let path): "unix:\(path)".tomlText
        case .inet(let address): address.tomlText
        }
    }
}

/// Permission bits as chmod(1) takes them: `"0660"`.
public struct FileMode: SettingValue, Hashable {
    public let bits: UInt32
    public init(bits: UInt32) { self.bits = bits }

    public static var typeName: String { "mode" }
    public init(_ item: TOMLItem, baseFolder: String) throws {
        guard case .string(let text) = item, (3...4).contains(text.utf8.count), let bits = UInt32(text, radix: 8), bits <= 0o777 else {
            throw SettingMismatch("permission bits in quotes such as \"0660\"")
        }
        self.bits = bits
    }
    public var tomlText: String { ("0" + String(bits, radix: 8)).tomlText }
}
