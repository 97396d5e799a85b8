import DNS
import Foundation
import InternetMessage
import NetworkAddress

/// Tests about whole messages: what a message comes with, read and bounded.
extension RuleChecker {
    /// Recipients, signatures, tags and names of one test.
    static var testListLimit: Int { 100 }

    mutating func messageSubject(_ test: TestSyntax) -> RuleTest.Subject? {
        if let first = test.clauses.first, test.stage != nil || !test.given.isEmpty {
            report(Mistake(first.range, "a test is about the facts of one stage or about a whole message, not both",
                           fix: "leave 'stage' and 'given' out: a message goes through every stage"))
            return nil
        }
        var message = MessageTest(), seen: Set<String> = []
        for clause in test.clauses {
            if !seen.insert(clause.word).inserted, TestClauseSyntax.once.contains(clause.word) {
                report(Mistake(clause.range, "'\(clause.word)' stands in the test already", fix: "leave one of them out"))
            }
            _ = attempt { try $0.take(clause, into: &message) }
        }
        if message.recipients.isEmpty { message.recipients = [EmailAddress("recipient@example.org")].compactMap { $0 } }
        if max(message.recipients.count, message.signatures.count, message.tags.count, message.failingNames.count, message.earlier.count) > Self.testListLimit {
            report(Mistake(test.range, "a test has at most \(Self.testListLimit) recipients, signatures, tags and failing names", fix: nil))
        }
        return .message(message)
    }

    private func take(_ clause: TestClauseSyntax, into message: inout MessageTest) throws {
        switch clause.kind {
        case .client(let address, let name, let isOwn):
            if case .ip(let address) = try value(address, as: .ip, of: "client") { message.client.address = address }
            message.client.name = try name.map { try domain($0).text }
            message.client.isOwn = isOwn
        case .helo(let name): message.client.helo = text(name)
        case .listener(let name): message.client.listener = try word(name, of: PolicyFact.listeners, "a listener")
        case .tls(let version): message.client.tlsVersion = try value(version, as: PolicyFact.tlsVersion.type(at: .message), of: "tls").description
        case .account(let name, let owns):
            message.client.account = text(name)
            message.accountAddresses = try owns.map { try address($0) }
        case .earlier(let before, let times): message.earlier.append(try earlier(before, times))
        case .sender(let address): message.sender = text(address).isEmpty ? nil : try self.address(address)
        case .recipients(let all): message.recipients += try all.map { try address($0) }
        case .size(let size): if case .number(let octets) = size.kind { message.declaredSize = octets }
        case .time(let time): message.time = try date(time)
        case .local(let all): message.localDomains += try all.map { try domain($0) }
        default: try takeContent(clause, into: &message)
        }
    }

    private func takeContent(_ clause: TestClauseSyntax, into message: inout MessageTest) throws {
        switch clause.kind {
        case .dns(let block): message.records += try records(block)
        case .dnsFails(let names): message.failingNames += try names.map { try domain($0) }
        case .message(let block): message.content = Array(block.text.utf8)
        case .messageFile(let path): message.content = try file(path)
        case .signature(let domain, let selector): message.signatures.append(.init(domain: try self.domain(domain), selector: try self.selector(selector)))
        case .tag(let address, .blocked): message.tags.append(.init(address: try self.address(address), state: .blocked))
        case .tag(let address, .revoked): message.tags.append(.init(address: try self.address(address), state: .revoked))
        case .tag(let address, .owned(let owners)):
            message.tags.append(.init(address: try self.address(address), state: .owned(try owners.map { try domain($0) })))
        default: break
        }
    }

    // MARK: Values

    func text(_ literal: LiteralSyntax) -> String {
        switch literal.kind {
        case .string(let text), .word(let text): text
        default: source.text(literal.range)
        }
    }

    func address(_ literal: LiteralSyntax) throws -> EmailAddress {
        guard let address = EmailAddress(text(literal)) else { throw Mistake(literal.range, "'\(text(literal))' is not an address", fix: "write user@example.org") }
        return address
    }

    private func domain(_ literal: LiteralSyntax) throws -> DomainName {
        guard let domain = DomainName(queryName: text(literal)), !domain.isRoot, !text(literal).contains(where: { $0 == "@" || $0.isWhitespace }) else {
            throw Mistake(literal.range, "'\(text(literal))' is not a domain", fix: "write example.org")
        }
        return domain
    }

    private func earlier(_ before: LiteralSyntax, _ times: LiteralSyntax?) throws -> MessageTest.Earlier {
        var count = 1
        if let times, case .number(let number) = times.kind {
            guard (1...1_000).contains(number) else { throw Mistake(times.range, "a message comes 1 to 1,000 times earlier", fix: "take a smaller limit in the rule and the test") }
            count = number
        }
        let seconds = try duration(before, as: "how long before")
        guard (0...366 * 86_400).contains(seconds) else { throw Mistake(before.range, "earlier is up to a year before", fix: "write 10m or 2d") }
        return MessageTest.Earlier(before: seconds, times: count)
    }

    private func word(_ literal: LiteralSyntax, of words: [String], _ what: String) throws -> String {
        guard words.contains(text(literal)) else { throw Mistake(literal.range, "'\(text(literal))' is not \(what)", fix: "it is one of " + words.joined(separator: ", ")) }
        return text(literal)
    }

    private func date(_ literal: LiteralSyntax) throws -> Date {
        guard let date = try? Date(text(literal), strategy: .iso8601) else {
            throw Mistake(literal.range, "'\(text(literal))' is not a time", fix: "write \"2026-03-01T12:00:00Z\"")
        }
        return date
    }

    /// RFC 6376 §3.1.
    private func selector(_ literal: LiteralSyntax?) throws -> String {
        guard let literal else { return "test" }
        guard DomainName(text(literal)) != nil else { throw Mistake(literal.range, "'\(text(literal))' is not a selector", fix: "write letters, digits and hyphens") }
        return text(literal)
    }

    private func records(_ block: TextBlock) throws -> [ZoneRecord] {
        do { return try ZoneText.parse(block.text) } catch let error as ZoneTextError {
            let range = source.range(ofLine: block.firstLine + error.line - 1)
            throw Mistake(range, "in the DNS records: \(error.reason)", fix: "a record is a name, a type and its data: example.org MX 10 mail.example.org")
        }
    }

    private func file(_ path: LiteralSyntax) throws -> [UInt8] {
        let full = text(path).hasPrefix("/") ? text(path) : Self.folder(of: source.file) + text(path)
        do { return try tables.reader.read(full, limit: RuleSet.fileSizeLimit) } catch {
            throw Mistake(path.range, "the message \(full) cannot be used: \(error)", fix: "its name counts from this rule file's folder")
        }
    }
}
