import Foundation
import InternetMessage
import NetworkAddress
import SASL

/// The accounts of a passwd-file as Dovecot reads it (doc.dovecot.org/2.3, "Passwd-file"):
/// `user:{SCHEME}hash:uid:gid:(gecos):home:(shell):extra_fields`. Nothing is ever written to it.
///
/// A line that is wrong is a fault with its number, and the others hold. Honoured of the extra fields: `nologin` and
/// `allow_nets`, which keep people out. The mailbox is in `data_directory` under the account's name, whatever uid, gid and
/// home say.
struct PasswdFile: Sendable {
    struct Line: Sendable, Hashable {
        /// From 1.
        var number = 0
        let name: String
        let secret: PasswordScheme
        /// Whence a log-in may come; nil: from anywhere.
        let networks: [IPNetwork]?
    }

    private(set) var lines: [Line] = []
    private(set) var faults: [PasswdFileFault] = []
    static let sizeLimit = 32 << 20

    /// - Parameter file: for the faults.
    init(_ text: String, file: String) {
        var seen: Set<String> = []
        // Octets, not characters: CR LF would be one.
        for (index, octets) in text.utf8.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let content = octets.last == 13 ? octets.dropLast() : octets
            // As Dovecot: no name, no line.
            guard let first = content.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ":") else { continue }
            do throws(PasswordScheme.Fault) {
                var line = try Self.read(String(decoding: content, as: UTF8.self))
                guard seen.insert(line.name).inserted else { throw PasswordScheme.Fault(text: "\(line.name) stands further up already, and that line holds") }
                line.number = index + 1
                lines.append(line)
            } catch { faults.append(PasswdFileFault(file: file, line: index + 1, text: error.text)) }
        }
    }

    private static func read(_ text: String) throws(PasswordScheme.Fault) -> Line {
        guard text.utf8.count <= 4096 else { throw PasswordScheme.Fault(text: "the line is longer than 4096 octets") }
        let fields = text.split(separator: ":", maxSplits: 7, omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 2 else { throw PasswordScheme.Fault(text: "a line is user:{SCHEME}password, and perhaps more after another colon") }
        guard let name = try? AccountStore.checked(fields[0]) else {
            throw PasswordScheme.Fault(text: "the user's name cannot be an account: use an e-mail address, or letters, digits, '.', '_' and '-'")
        }
        let extra = fields.count > 7 ? fields[7].split(separator: " ").map(String.init) : []
        guard !extra.contains(where: { $0 == "nopassword" || $0.hasPrefix("nopassword=") }) else {
            throw PasswordScheme.Fault(text: "nopassword is refused: everybody could log in")
        }
        let secret = try PasswordScheme(dovecot: fields[1])
        let isClosed = extra.contains { $0 == "nologin" || $0.hasPrefix("nologin=") }
        return Line(name: name, secret: isClosed ? .locked : secret, networks: try networks(extra))
    }

    /// `allow_nets=192.0.2.0/24,2001:db8::/32`; `local` is this machine.
    private static func networks(_ extra: [String]) throws(PasswordScheme.Fault) -> [IPNetwork]? {
        guard let field = extra.first(where: { $0.hasPrefix("allow_nets=") }) else { return nil }
        var out: [IPNetwork] = []
        for word in field.dropFirst("allow_nets=".count).split(separator: ",") {
            let names = word == "local" ? ["127.0.0.0/8", "::1/128"] : [String(word)]
            for name in names {
                guard let network = IPNetwork(name) else { throw PasswordScheme.Fault(text: "allow_nets is a list of networks such as 192.0.2.0/24,2001:db8::/32") }
                out.append(network)
            }
        }
        return out
    }
}
