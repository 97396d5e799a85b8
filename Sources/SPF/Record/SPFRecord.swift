import DNS
import NetworkAddress

typealias ParsedSPFRecords = ParsedRecords<Result<SPFRecord, SPFRecord.SyntaxError>>

/// A parsed record (RFC 7208 §4.6.1), every term checked.
struct SPFRecord: Sendable {
    let directives: [Directive]
    let redirect: Modifier?
    let explanation: Modifier?

    struct Directive: Sendable {
        let qualifier: Qualifier
        let mechanism: Mechanism
        /// As written.
        let text: String
    }

    struct Modifier: Sendable {
        let target: MacroString
        let text: String
    }

    enum Qualifier: Character, Sendable {
        case pass = "+", fail = "-", softfail = "~", neutral = "?"

        var verdict: SPFVerdict {
            switch self {
            case .pass: .pass
            case .fail: .fail
            case .softfail: .softfail
            case .neutral: .neutral
            }
        }
    }

    enum Mechanism: Sendable {
        case all
        case include(MacroString)
        case a(MacroString?, DualPrefix)
        case mx(MacroString?, DualPrefix)
        case ptr(MacroString?)
        case ip(IPNetwork)
        case exists(MacroString)
    }

    /// dual-cidr-length.
    struct DualPrefix: Sendable {
        var v4 = 32
        var v6 = 128

        func network(of address: IPAddress) -> IPNetwork? {
            IPNetwork(address, prefixLength: address.family == .v4 ? v4 : v6)
        }
    }

    /// A permerror of syntax, in words.
    struct SyntaxError: Error {
        let reason: String
    }
}
