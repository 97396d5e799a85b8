import Foundation
import SMTPClient
import SMTPCore

/// Names and passwords for relay hosts, as Postfix's `smtp_sasl_password_maps` has them: `[host]:port user:password`.
enum PasswordFile {
    /// Blocks.
    /// - Throws: ``SettingsError`` with the line.
    static func read(_ path: String, withoutTLS: Bool) throws -> [NextHop: ClientCredentials] {
        func fault(_ line: Int?, _ text: String) -> SettingsError { SettingsError(file: path, faults: [.init(line: line, text: text)]) }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw fault(nil, "smtp_sasl_password_file cannot be read as text: check its path, owner and mode")
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0
        guard mode & 0o007 == 0 else { throw fault(nil, "holds passwords and is open to everybody: chmod o= it") }
        var out: [NextHop: ClientCredentials] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            let words = trimmed.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard words.count == 2, let hop = NextHop(words[0]), let colon = words[1].firstIndex(of: ":") else {
                throw fault(index + 1, "must be: host user:password")
            }
            let secret = words[1].trimmingCharacters(in: .whitespaces)
            let cut = secret.firstIndex(of: ":") ?? colon
            out[hop] = ClientCredentials(user: String(secret[..<cut]), password: String(secret[secret.index(after: cut)...]), allowWithoutTLS: withoutTLS)
        }
        return out
    }
}
