@testable import Policy
import Testing

@Suite struct ReadmeTests {
    /// The examples in the language's description load, and their tests pass.
    @Test func everyExampleLoads() throws {
        let text = String(decoding: try DiskPolicyFileReader().read(policiesFolder + "/README.md", limit: 1 << 20), as: UTF8.self)
        let examples = text.components(between: "```policy\n", and: "\n```")
        #expect(examples.count >= 3)
        for example in examples {
            let rules = try load(example, ["denied-networks": "198.51.100.0/24\n", "partners": "partner.example\n"])
            #expect(rules.count > 0)
            for result in rules.runTests() { #expect(result.passed, "\(result.test.name): \(result.failures)") }
        }
    }

    /// Every name is described, so that the table cannot fall behind the code.
    @Test func everyNameIsDescribed() throws {
        let text = String(decoding: try DiskPolicyFileReader().read(policiesFolder + "/README.md", limit: 1 << 20), as: UTF8.self)
        for fact in PolicyFact.allCases { #expect(text.contains("| `\(fact.rawValue)` |"), "\(fact.rawValue)") }
    }
}

extension String {
    fileprivate func components(between start: String, and end: String) -> [String] {
        var out: [String] = [], rest = self[...]
        while let opening = rest.firstRange(of: start), let closing = rest[opening.upperBound...].firstRange(of: end) {
            out.append(String(rest[opening.upperBound..<closing.lowerBound]))
            rest = rest[closing.upperBound...]
        }
        return out
    }
}
