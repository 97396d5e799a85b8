import NetworkAddress

extension SPFRecord {
    /// Whether a TXT record is an SPF record: `v=spf1`, in any case, then a space or the end (RFC 7208 §4.5).
    static func isRecord(_ octets: [UInt8]) -> Bool {
        // §12: letters of ABNF stand for both cases.
        guard octets.count >= 6, zip(octets, "v=spf1".utf8).allSatisfy({ $0 == $1 || (97...122).contains($1) && $0 == $1 - 32 }) else { return false }
        return octets.count == 6 || octets[6] == 32
    }

    /// Parses a record chosen with ``isRecord(_:)``. Syntax errors anywhere in it count, matched or not (§4.6).
    init(_ octets: [UInt8]) throws(SyntaxError) {
        // Anything but printable US-ASCII is outside the grammar; blanks other than SP separate nothing (§4.6.1).
        guard octets.allSatisfy({ (32...126).contains($0) }) else {
            throw SyntaxError(reason: "the record holds octets other than printable US-ASCII (RFC 7208 section 3.1)")
        }
        var directives: [Directive] = []
        var redirect: Modifier?, explanation: Modifier?
        for term in String(decoding: octets[6...], as: UTF8.self).split(separator: " ").map(String.init) {
            guard let (name, value) = Self.modifier(term) else {
                directives.append(try Self.directive(term))
                continue
            }
            switch name.lowercased() {
            case "redirect":
                guard redirect == nil else { throw SyntaxError(reason: "redirect= appears twice (RFC 7208 section 6)") }
                redirect = Modifier(target: try DomainSpec.parse(value, in: term), text: term)
            case "exp":
                guard explanation == nil else { throw SyntaxError(reason: "exp= appears twice (RFC 7208 section 6)") }
                explanation = Modifier(target: try DomainSpec.parse(value, in: term), text: term)
            default:
                do { _ = try MacroString(value, for: .unknownModifier) } catch {
                    throw SyntaxError(reason: "'\(term)' is malformed: \(error.reason)")
                }
            }
        }
        (self.directives, self.redirect, self.explanation) = (directives, redirect, explanation)
    }

    /// name "=" value, where name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) (§4.6.1).
    private static func modifier(_ term: String) -> (name: String, value: String)? {
        guard let equals = term.firstIndex(of: "=") else { return nil }
        let name = term[..<equals].utf8
        guard let first = name.first, isAlpha(first), name.allSatisfy({ isAlpha($0) || isDigit($0) || $0 == 45 || $0 == 95 || $0 == 46 })
        else { return nil }
        return (String(term[..<equals]), String(term[term.index(after: equals)...]))
    }

    private static func directive(_ term: String) throws(SyntaxError) -> Directive {
        var rest = Substring(term)
        var qualifier = Qualifier.pass
        if let first = rest.first, let given = Qualifier(rawValue: first) {
            qualifier = given
            rest.removeFirst()
        }
        let name = rest.prefix { $0 != ":" && $0 != "/" }
        let mechanism = try mechanism(name.lowercased(), String(rest.dropFirst(name.count)), term)
        return Directive(qualifier: qualifier, mechanism: mechanism, text: term)
    }

    /// - Parameter argument: what follows the name, its `:` or `/` included.
    private static func mechanism(_ name: String, _ argument: String, _ term: String) throws(SyntaxError) -> Mechanism {
        switch name {
        case "all":
            guard argument.isEmpty else { throw SyntaxError(reason: "'\(term)': all takes no argument (RFC 7208 section 5.1)") }
            return .all
        case "include", "exists":
            guard argument.hasPrefix(":") else {
                throw SyntaxError(reason: "'\(term)': \(name) needs a domain (RFC 7208 section \(name == "include" ? "5.2" : "5.7"))")
            }
            let spec = try DomainSpec.parse(String(argument.dropFirst()), in: term)
            return name == "include" ? .include(spec) : .exists(spec)
        case "a", "mx":
            let (spec, prefix) = try domainAndPrefix(argument, term)
            return name == "a" ? .a(spec, prefix) : .mx(spec, prefix)
        case "ptr":
            if argument.isEmpty { return .ptr(nil) }
            guard argument.hasPrefix(":") else { throw SyntaxError(reason: "'\(term)': ptr takes no prefix length (RFC 7208 section 5.5)") }
            return .ptr(try DomainSpec.parse(String(argument.dropFirst()), in: term))
        case "ip4", "ip6": return .ip(try network(argument, name == "ip4" ? .v4 : .v6, term))
        default: throw SyntaxError(reason: "'\(term)' is neither a known mechanism nor a modifier (RFC 7208 section 4.6.1)")
        }
    }

    /// [ ":" domain-spec ] [ dual-cidr-length ]
    private static func domainAndPrefix(_ argument: String, _ term: String) throws(SyntaxError) -> (MacroString?, DualPrefix) {
        guard let (rest, prefix) = PrefixLengths.split(argument) else {
            throw SyntaxError(reason: "'\(term)' has a wrong prefix length (RFC 7208 section 5.6)")
        }
        if rest.isEmpty { return (nil, prefix) }
        guard rest.hasPrefix(":") else { throw SyntaxError(reason: "'\(term)' has a wrong prefix length (RFC 7208 section 5.6)") }
        return (try DomainSpec.parse(String(rest.dropFirst()), in: term), prefix)
    }

    /// ":" network [ "/" length ] (§5.6)
    private static func network(_ argument: String, _ family: IPAddress.Family, _ term: String) throws(SyntaxError) -> IPNetwork {
        let name = family == .v4 ? "ip4" : "ip6"
        guard argument.hasPrefix(":") else { throw SyntaxError(reason: "'\(term)': \(name) needs an address (RFC 7208 section 5.6)") }
        let parts = argument.dropFirst().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]), address.family == family else {
            throw SyntaxError(reason: "'\(term)': '\(parts[0])' is not an \(family == .v4 ? "IPv4" : "IPv6") address (RFC 7208 section 5.6)")
        }
        guard parts.count == 2 else { return try whole(address, address.bitWidth, term) }
        guard let length = PrefixLengths.number(parts[1], upTo: address.bitWidth) else {
            throw SyntaxError(reason: "'\(term)': the prefix length is not a number up to \(address.bitWidth) (RFC 7208 section 5.6)")
        }
        return try whole(address, length, term)
    }

    private static func whole(_ address: IPAddress, _ length: Int, _ term: String) throws(SyntaxError) -> IPNetwork {
        guard let network = IPNetwork(address, prefixLength: length) else {
            throw SyntaxError(reason: "'\(term)' has a wrong prefix length (RFC 7208 section 5.6)")
        }
        return network
    }

    static func isAlpha(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

/// ip4-cidr-length and ip6-cidr-length (RFC 7208 §5.6).
enum PrefixLengths {
    /// Takes `[ "/" n4 ] [ "//" n6 ]` from the end of an argument. The rest may hold slashes of its own, since a
    /// domain-spec may. Nil when what stands there is out of range.
    static func split(_ argument: String) -> (rest: String, prefix: SPFRecord.DualPrefix)? {
        var rest = Substring(argument)
        var prefix = SPFRecord.DualPrefix()
        if let digits = trailingDigits(rest, after: "//") {
            guard let length = number(digits, upTo: 128) else { return nil }
            prefix.v6 = length
            rest = rest.dropLast(digits.count + 2)
        }
        if let digits = trailingDigits(rest, after: "/") {
            guard let length = number(digits, upTo: 32) else { return nil }
            prefix.v4 = length
            rest = rest.dropLast(digits.count + 1)
        }
        return (String(rest), prefix)
    }

    /// "0", or digits without leading zero, up to the limit.
    static func number(_ digits: Substring, upTo limit: Int) -> Int? {
        guard (1...3).contains(digits.count), digits.utf8.allSatisfy(SPFRecord.isDigit), digits.count == 1 || digits.first != "0",
            let value = Int(digits), value <= limit else { return nil }
        return value
    }

    private static func trailingDigits(_ text: Substring, after slashes: String) -> Substring? {
        guard let slash = text.lastIndex(of: "/") else { return nil }
        let digits = text[text.index(after: slash)...]
        guard digits.utf8.allSatisfy(SPFRecord.isDigit), text[...slash].hasSuffix(slashes) else { return nil }
        return digits
    }
}
