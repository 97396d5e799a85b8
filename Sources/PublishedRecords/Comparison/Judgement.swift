import DNS
import NetworkAddress

/// What one server's answer comes to beside what should stand there.
public enum Judgement: Sendable, Hashable {
    /// As it should be; a remark where there is more to say.
    case present(remark: String?)
    case missing
    /// What differs, in words.
    case wrong(String)

    public static let present = Judgement.present(remark: nil)
}

/// Reads the records of a name and says how they differ from what should be there. Pure.
public enum RecordJudge {
    /// Of all addresses of one family.
    public static func addresses(_ wanted: [IPAddress], found: [IPAddress]) -> Judgement {
        guard !found.isEmpty else { return .missing }
        let absent = wanted.filter { !found.contains($0) }, strange = found.filter { !wanted.contains($0) }
        guard !absent.isEmpty || !strange.isEmpty else { return .present }
        var words = "it is \(list(found))"
        if !absent.isEmpty { words += ", without \(list(absent))" }
        // Without one of ours missing, another address may be a second machine's.
        guard !absent.isEmpty else { return .wrong(words + "; \(list(strange)) is not an address of this server: connections there are lost, unless a second server answers") }
        return .wrong(words)
    }

    public static func exchanges(_ host: DomainName, found: [MXRecord]) -> Judgement {
        guard !found.isEmpty else { return .missing }
        let words = found.sorted { ($0.preference, $0.exchange.text) < ($1.preference, $1.exchange.text) }.map { "\($0.preference) \($0.exchange)" }
        if found.contains(where: \.isNull) { return .wrong("a null MX says that the domain takes no mail (RFC 7505)") }
        if let number = found.first(where: { IPAddress($0.exchange.text) != nil }) {
            return .wrong("MX \(number.preference) \(number.exchange) is an address where a host name must stand (RFC 5321 section 5.1); write \(host)")
        }
        guard let own = found.first(where: { $0.exchange == host }) else {
            return .wrong("it is \(words.joined(separator: ", ")), not \(host): mail goes to another server")
        }
        let better = found.filter { $0.preference < own.preference }
        if let first = better.first { return .present(remark: "\(first.exchange) is preferred to \(host)") }
        return .present(remark: found.count > 1 ? "also \(found.filter { $0.exchange != host }.map(\.exchange.text).joined(separator: ", "))" : nil)
    }

    /// The texts that are SPF records (RFC 7208 §4.5), however many.
    public static func senderPolicies(_ texts: [String]) -> [String] {
        texts.filter { $0.lowercased() == "v=spf1" || $0.lowercased().hasPrefix("v=spf1 ") }
    }

    public static func tlsa(_ wanted: [UInt8], found: [TLSARecord]) -> Judgement {
        guard !found.isEmpty else { return .missing }
        let usable = found.filter { $0.usage == 2 || $0.usage == 3 }
        guard !usable.isEmpty else { return .wrong("usages \(found.map { "\($0.usage)" }.joined(separator: ", ")) are not for SMTP (RFC 7672 section 3.1.3): publish 3 1 1") }
        if usable.contains(where: { $0.usage == 3 && $0.selector == 1 && $0.matchingType == 1 && $0.data == wanted }) { return .present }
        // Another form may fit all the same: only a handshake could tell.
        guard usable.allSatisfy({ $0.usage == 3 && $0.selector == 1 && $0.matchingType == 1 }) else {
            return .present(remark: "of another form than 3 1 1, which is not compared here")
        }
        return .wrong("its digest \(RecordValue.hex(Array(usable[0].data.prefix(8))))… is of another key than the certificate's, \(RecordValue.hex(Array(wanted.prefix(8))))…: servers that look it up refuse to deliver")
    }

    public static func services(_ wanted: RecordValue, found: [SRVRecord]) -> Judgement {
        guard case .service(_, _, let port, let target) = wanted else { return .missing }
        guard !found.isEmpty else { return .missing }
        if found.contains(where: { $0.target == target && (target.isRoot || $0.port == port) }) { return .present }
        let words = found.map { $0.target.isRoot ? "not offered" : "\($0.target) port \($0.port)" }.joined(separator: ", ")
        return .wrong("it says \(words); \(target.isRoot ? "this server does not offer it" : "it is \(target) port \(port)")")
    }

    static func list(_ all: [some CustomStringConvertible]) -> String { all.map(\.description).joined(separator: ", ") }
}
