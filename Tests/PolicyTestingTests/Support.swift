import Foundation
import Policy
@testable import PolicyTesting
import Testing

let policiesFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/policies"

/// Files from memory.
struct MemoryFiles: PolicyFileReader {
    var files: [String: String]

    func policyFiles(in folder: String) throws -> [String] { files.keys.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(".policy") }.sorted() }

    func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let text = files[path] else { throw PolicyFileProblem("there is no such file") }
        return Array(text.utf8)
    }
}

func load(_ text: String, _ others: [String: String] = [:]) throws -> RuleSet {
    try RuleSet.load(files: ["t.policy"], reader: MemoryFiles(files: others.merging(["t.policy": text]) { $1 }))
}

/// Runs the tests of one file.
func run(_ text: String, _ others: [String: String] = [:]) async throws -> RuleTestReport {
    try await RuleTestRunner().run(try load(text, others))
}

/// Runs one test without rules or with these, and gives what was not met.
func failures(_ test: String, rules: String = "") async throws -> [String] {
    let report = try await run(rules + "\ntest \"t\" {\n" + test + "\n}\n")
    return try #require(report.results.first).failures.map(\.description)
}
