import Aliases
import Foundation
import PosternDaemon
import PostfixDoctor
import PostfixImport

/// Finds and reads what an import is made from.
struct ImportReader {
    let configDir: String?
    let openDKIM: String?
    let openDMARC: String?
    let policydSPF: String?
    let dovecot: String?

    /// - Throws: what cannot be read, by its name.
    func source() throws -> ImportSource {
        let (postfix, unused) = try Postconf(folder: configDir).expanded()
        var source = ImportSource(postfix: postfix, unused: unused, own: .reader) { try Self.read($0) }
        source.openDKIM = try text(openDKIM, or: "/etc/opendkim.conf")
        source.openDMARC = try text(openDMARC, or: "/etc/opendmarc.conf")
        source.policydSPF = try text(policydSPF, or: "/etc/postfix-policyd-spf-python/policyd-spf.conf")
        // A package's file lies there though nobody asks its program.
        let asked = PostfixImport.programsAsked(source)
        if openDKIM == nil, !asked.contains("OpenDKIM") { source.openDKIM = nil }
        if openDMARC == nil, !asked.contains("OpenDMARC") { source.openDMARC = nil }
        source.dovecot = try dovecotSettings()
        return source
    }

    static func read(_ path: String) throws -> String {
        do { return try TableFile.read(path) } catch {
            var bare = error
            // The caller names the file.
            bare.file = ""
            throw ImportFailure(String("\(bare)".drop { $0 == ":" || $0 == " " }))
        }
    }

    /// A file that is named must be there; Debian's own place is looked at for the machine's own Postfix.
    private func text(_ named: String?, or place: String) throws -> NamedText? {
        if let named {
            do { return NamedText(file: named, text: try Self.read(named)) } catch { throw ImportFailure("\(named): \(error)") }
        }
        guard configDir == nil, FileManager.default.fileExists(atPath: place) else { return nil }
        do { return NamedText(file: place, text: try Self.read(place)) } catch { throw ImportFailure("\(place): \(error)") }
    }

    private func dovecotSettings() throws -> NamedText? {
        guard configDir == nil || dovecot != nil else { return nil }
        guard let program = ["/usr/bin/doveconf", "/usr/local/bin/doveconf"].first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            if dovecot != nil { throw ImportFailure("doveconf is not installed, which reads Dovecot's settings") }
            return nil
        }
        let done = try ProgramOutput.of(program, ["-n"] + (dovecot.map { ["-c", $0] } ?? []))
        guard done.status == 0 else {
            throw ImportFailure("doveconf cannot read Dovecot's settings: \(done.complaint.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        return NamedText(file: dovecot ?? "dovecot.conf", text: try Self.withKeyFile(done.text) { try ProgramOutput.of(program, $0 + (dovecot.map { ["-c", $0] } ?? [])).text })
    }

    /// doveconf hides what may be a key; ours is the name of a file, and only that is asked for in the clear.
    private static func withKeyFile(_ text: String, ask: ([String]) throws -> String) rethrows -> String {
        let hidden = "ssl_key = # hidden, use -P to show it"
        guard text.contains(hidden) else { return text }
        let value = try ask(["-P", "-h", "ssl_key"]).split(separator: "\n")
        guard value.count == 1, let path = value.first, path.hasPrefix("<") else { return text }
        return text.replacingOccurrences(of: hidden, with: "ssl_key = \(path)")
    }
}

extension OwnSettings {
    /// Our settings reader.
    static let reader = OwnSettings { key, toml in
        do {
            let settings = try SettingsFile.parse("\(key) = \(toml)\n", file: "", baseFolder: "/etc/postern")
            guard let setting = Known.all.first(where: { $0.key == key }) else { throw ImportFailure("there is no setting \(key)") }
            return Verdict(isDefault: settings.text(of: setting) == setting.defaultText)
        } catch let error as SettingsError { throw ImportFailure(error.faults.map(\.text).joined(separator: "; ")) }
    }
}
