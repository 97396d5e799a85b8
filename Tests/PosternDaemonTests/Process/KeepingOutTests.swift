import Foundation
import Testing
@testable import PosternDaemon

/// What SECURITY.md promises of the source and of the defaults.
@Suite struct KeepingOutTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static func sources() throws -> [(path: String, text: String)] {
        let folder = root + "/Sources"
        let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return try names.filter { name in [".swift", ".h", ".c"].contains { name.hasSuffix($0) } }
            .map { ($0, try String(contentsOfFile: folder + "/" + $0, encoding: .utf8)) }
    }

    /// Commands that an administrator calls, and what they start: Postfix's and Dovecot's own `postconf` and `doveconf`, our own
    /// `sendmail`, and `useradd`.
    private static let startsPrograms: Set = ["postern/Doctor/Postconf.swift", "Checkup/Doors/DoorCheck.swift", "PosternSetup/Steps/UserStep.swift"]

    /// Nothing that a stranger says can reach a shell, since there is none; and the server starts no program.
    @Test func nothingStartsAShell() throws {
        let sources = try Self.sources()
        #expect(sources.count > 400)
        let shells = try Regex(#"/bin/(ba|da|z)?sh\b|\bpopen\s*\(|(^|[^.\w])system\s*\(\s*["a-zA-Z]\w*\s*\)|\bexec[lv]p?e?\s*\(|\bposix_spawnp?\s*\(|\bvfork\s*\("#).anchorsMatchLineEndings()
        let programs = try Regex(#"(^|[^.\w])Process\(\)"#).anchorsMatchLineEndings()
        for (path, text) in sources {
            #expect(text.firstMatch(of: shells) == nil, "\(path)")
            #expect(Self.startsPrograms.contains(path) || text.firstMatch(of: programs) == nil, "\(path)")
        }
    }

    /// A trap that input could reach would be a way to stop the server.
    @Test func nothingStopsTheServerOnPurpose() throws {
        let traps = try Regex(#"(^|[^.\w])(fatalError|preconditionFailure)\s*\(|\btry!|\bas! "#).anchorsMatchLineEndings()
        for (path, text) in try Self.sources() { #expect(text.firstMatch(of: traps) == nil, "\(path)") }
    }

    /// `key` (default) in SECURITY.md is the default, and no setting is named there that does not exist.
    @Test func theLimitsOfTheThreatModelAreTheDefaults() throws {
        let text = try String(contentsOfFile: Self.root + "/SECURITY.md", encoding: .utf8)
        let stated = text.matches(of: #/`([a-z]+[_.][a-z_.]+)` \(([^)]*)\)/#)
        #expect(stated.count >= 10)
        for match in stated {
            let setting = Settings.declared[String(match.1)]
            #expect(setting?.defaultText == String(match.2), "\(match.0)")
        }
        for match in text.matches(of: #/`([a-z]+_[a-z_.]+)`/#) { #expect(Settings.declared[String(match.1)] != nil, "\(match.1)") }
    }
}
