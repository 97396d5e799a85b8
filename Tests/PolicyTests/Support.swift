import InternetMessage
import NetworkAddress
@testable import Policy
import Testing

/// Files from memory.
struct MemoryFiles: PolicyFileReader {
    var files: [String: String]

    func policyFiles(in folder: String) throws -> [String] {
        files.keys.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(".policy") }.sorted()
    }

    func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let text = files[path] else { throw PolicyFileProblem("there is no such file") }
        guard text.utf8.count <= limit else { throw PolicyFileProblem("it is larger than \(limit) octets") }
        return Array(text.utf8)
    }
}

/// Loads one file `t.policy`; further files are tables.
func load(_ text: String, _ others: [String: String] = [:]) throws -> RuleSet {
    try RuleSet.load(files: ["t.policy"], reader: MemoryFiles(files: others.merging(["t.policy": text]) { $1 }))
}

/// The mistakes of one file; empty when it loads.
func mistakes(_ text: String, _ others: [String: String] = [:]) -> [PolicyDiagnostic] {
    do { _ = try load(text, others) } catch let errors as PolicyErrors { return errors.diagnostics } catch { Issue.record("\(error)") }
    return []
}

func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }
func domain(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

/// Whether a condition holds at a stage, for the facts given.
func holds(_ condition: String, _ stage: PolicyStage = .message, _ values: [PolicyFact: PolicyValue] = [:],
           headers: [String: [String]] = [:], tables: [String: String] = [:]) throws -> Bool {
    let rules = try load("stage \(stage.rawValue) rule \"r\" when \(condition) then accept", tables)
    return rules.evaluate(stage, LiteralFacts(values: values, fields: headers)).decision == .accept
}
