import Foundation
import PostfixDoctor

/// Asks postconf(1).
struct Postconf {
    struct Failure: Error, CustomStringConvertible { let description: String }
    let folder: String?

    func settings() throws -> PostfixSettings {
        PostfixSettings(written: try ask(["-n"]).text, values: try ask(["-x"] + PostfixSettings.needed).text, services: try ask(["-M"]).text, overrides: try ask(["-P"]).text)
    }

    /// With every `$name` expanded, and what main.cf says that no program of Postfix reads.
    func expanded() throws -> (settings: PostfixSettings, unused: [String: String]) {
        let main = try ask(["-n", "-x"])
        let more = ["myhostname", "mydestination", "mynetworks", "inet_interfaces", "inet_protocols", "virtual_alias_maps", "virtual_mailbox_domains", "alias_maps"]
        let settings = PostfixSettings(written: main.text, values: try ask(["-x"] + PostfixSettings.needed + more).text, services: try ask(["-M"]).text, overrides: try ask(["-P", "-x"]).text)
        return (settings, Self.unused(main.complaint))
    }

    /// `postconf: warning: /etc/postfix/main.cf: unused parameter: name=value`
    private static func unused(_ complaint: String) -> [String: String] {
        var out: [String: String] = [:]
        for line in complaint.split(separator: "\n") {
            guard let mark = line.range(of: "unused parameter: "), line.contains("main.cf") else { continue }
            let parts = line[mark.upperBound...].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            out[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return out
    }

    private func ask(_ arguments: [String]) throws -> (text: String, complaint: String) {
        let candidates = ["/usr/sbin/postconf", "/usr/local/sbin/postconf", "/usr/bin/postconf"]
        guard let program = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Failure(description: "postconf is not installed: this is for a machine with Postfix")
        }
        let done = try ProgramOutput.of(program, (folder.map { ["-c", $0] } ?? []) + arguments)
        guard done.status == 0 else { throw Failure(description: Self.explained(done.complaint)) }
        return (done.text, done.complaint)
    }

    /// postconf says `unreasonable macro call nesting: "name"` for settings that expand into each other without end.
    private static func explained(_ complaint: String) -> String {
        let names = complaint.split(separator: "\n").compactMap { line in
            line.range(of: "unreasonable macro call nesting: ").map { line[$0.upperBound...].trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
        }
        guard let name = names.first else { return "postconf cannot read the settings: \(complaint.trimmingCharacters(in: .whitespacesAndNewlines))" }
        return "main.cf: $\(name) leads back to itself: break the circle, then again"
    }
}

/// What a program prints.
enum ProgramOutput {
    /// Blocks until it ends.
    static func of(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String, complaint: String) {
        let process = Process(), output = Pipe(), errors = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What it has to say fits a pipe's buffer on the error side; the other is read to its end first.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: complaint, as: UTF8.self))
    }
}
