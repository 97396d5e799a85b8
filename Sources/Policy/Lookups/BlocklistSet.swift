import NetworkAddress

/// DNS lists under one name, each with a weight: `dnsbl "spam" { "zen.example" weight 3 for 127.0.0.2..127.0.0.11 }`.
public struct BlocklistSet: Sendable, Hashable {
    /// Sets in all rule files together.
    static let setLimit = 32
    /// Lists in one set: one message asks them all.
    static let listLimit = 32

    public struct List: Sendable, Hashable {
        public let zone: DomainName
        public let weight: Int
        /// Which answers count; empty: every one in 127.0.0.0/8.
        public let answers: [ClosedRange<UInt32>]

        public init(zone: DomainName, weight: Int = 1, answers: [ClosedRange<UInt32>] = []) {
            self.zone = zone
            self.weight = weight
            self.answers = answers
        }

        /// Whether an answer lists what was asked about. Listings are in 127.0.0.0/8 (RFC 5782 §2.1): anything else comes
        /// from somebody who took the expired domain, or rewrites NXDOMAIN. Operators of large lists say 127.255.255.0/24
        /// or 127.0.0.1 when they refuse the question.
        public func counts(_ answer: IPAddress) -> Bool {
            let octets = answer.octets
            guard octets.count == 4, octets[0] == 127, !refuses(answer) else { return false }
            let number = answer.v4Number
            return answers.isEmpty || answers.contains { $0.contains(number) }
        }

        /// Whether the list says that it does not answer us: an open resolver, too many questions.
        public func refuses(_ answer: IPAddress) -> Bool {
            answer.octets == [127, 0, 0, 1] || (answer.octets.count == 4 && answer.octets.starts(with: [127, 255, 255]))
        }
    }

    public let name: String
    public let lists: [List]

    public init(name: String, lists: [List]) {
        self.name = name
        self.lists = lists
    }
}

extension IPAddress {
    /// An IPv4 address as a number; 0 for IPv6.
    var v4Number: UInt32 { octets.count == 4 ? octets.reduce(0) { $0 << 8 | UInt32($1) } : 0 }
}
