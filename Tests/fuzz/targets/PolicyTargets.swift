@testable import Aliases
import InternetMessage
import NetworkAddress
@testable import Policy

/// Files that people write, and that other people's programs may have written for them.
enum PolicyTargets {
    /// Any text is a rule set or a list of mistakes, each with its place.
    static let rules: FuzzTarget = { input in
        do throws(PolicyErrors) {
            let rules = try RuleSet.load(files: ["a.policy"], reader: OneFile(input))
            for stage in [PolicyStage.connect, .helo, .mail, .rcpt, .message] { _ = rules.evaluate(stage, NoFacts()) }
        } catch {
            expect(!error.diagnostics.isEmpty, "refused without a reason")
            expect(error.diagnostics.allSatisfy { !$0.message.isEmpty }, "a mistake without words")
        }
    }

    private struct OneFile: PolicyFileReader {
        let octets: [UInt8]
        init(_ octets: [UInt8]) { self.octets = octets }
        func policyFiles(in folder: String) -> [String] { [] }
        func read(_ path: String, limit: Int) throws -> [UInt8] {
            guard path == "a.policy" else { throw PolicyFileProblem("there is no such file") }
            return octets
        }
    }

    private struct NoFacts: PolicyFacts {
        func value(of fact: PolicyFact) -> PolicyValue? { nil }
        func headers(named name: String) -> [String] { ["a value", ""] }
    }

    /// A pattern's cost is bounded whatever it is: libFuzzer's time-out would tell.
    static let pattern: FuzzTarget = { input in
        let texts = Choices(input).texts().map { String(decoding: $0, as: UTF8.self) }
        guard let text = texts.first else { return }
        for ignoreCase in [false, true] {
            guard let program = try? RegexParser.program(text, ignoreCase: ignoreCase) else { continue }
            expect(program.instructions.count <= PatternProgram.sizeLimit + 1, "\(program.instructions.count) instructions")
            for subject in texts { _ = program.matches(subject) }
        }
        if let glob = try? Glob.program(text) { for subject in texts { _ = glob.matches(subject) } }
    }

    /// Alias tables and rewritten senders: whatever is asked ends, and nobody's target is a program or a file.
    static let aliases: FuzzTarget = { input in
        let texts = Choices(input).texts().map { String(decoding: $0, as: UTF8.self) }
        guard texts.count >= 2, let home = DomainName("home.example") else { return }
        var aliases = AliasTable(), virtual = VirtualTable(), rules = AddressExpander.Rules(origin: home)
        try? aliases.add(texts[0], file: "aliases", include: IncludeReader { _ throws(TableFault) in throw TableFault(line: 0, "none") })
        try? virtual.add(texts[1], file: "virtual")
        rules.localDomains = [home]
        rules.delimiters = "+"
        rules.depthLimit = 50
        rules.sizeLimit = 50
        let expander = AddressExpander(virtual: virtual, aliases: aliases, rules: rules)
        for name in aliases.names.prefix(5) + ["alice"] { expand(EmailAddress(localPart: name, domain: home), expander) }
        let srs = SRSRewriter(domain: home, secrets: [Array("secret".utf8)])
        for text in texts {
            guard let address = EmailAddress(text) else { continue }
            expand(address, expander)
            expect(srs.reverse(address, now: 1_700_000_000) == nil, "a forged address was believed: \(address)")
            // What was rewritten before is guarded, and comes back as the first forwarder's address.
            if let written = srs.forward(address, now: 1_700_000_000), address.domainName != home, !address.localPart.uppercased().hasPrefix("SRS") {
                expect(srs.reverse(written, now: 1_700_000_000) == address, "\(address) → \(written) → \(String(describing: srs.reverse(written, now: 1_700_000_000)))")
            }
        }
    }

    private static func expand(_ address: EmailAddress, _ expander: AddressExpander) {
        guard let expansion = try? expander.expand(address) else { return }
        expect(expansion.targets.count <= 51, "\(expansion.targets.count) targets")
    }
}
