import Foundation
import NetworkAddress
import PosternDaemon
import TLS

/// A folder with its owner and mode.
struct FolderStep: SetupStep {
    let item: String
    let path: String
    let mode: mode_t
    let owner: Ownership

    func look() throws -> SetupState {
        var info = stat()
        guard stat(path, &info) == 0 else { return .missing("\(path) (\(String(mode, radix: 8)), \(owner.description))") }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw SetupFailure("\(path) is no folder") }
        return .kept(path)
    }

    func perform() throws -> [String] {
        try NewFile.folder(path, mode: mode, owner: owner)
        return []
    }
}

/// `postern.toml`.
struct SettingsStep: SetupStep {
    let path: String
    let text: String
    let domain: DomainName
    let owner: Ownership
    var item: String { "settings" }

    func look() throws -> SetupState {
        guard NewFile.exists(path) else { return .missing(path) }
        let isOurs = try SettingsFile.load(path)[Known.mydestination].contains(domain)
        return .kept(path + (isOurs ? "" : "; to receive mail for \(domain), add it to mydestination there"))
    }

    func perform() throws -> [String] {
        try NewFile.write(text, to: path, mode: 0o640, owner: owner)
        return []
    }
}

/// The rules to start from.
struct PolicyStep: SetupStep {
    let folder: String
    let owner: Ownership
    var item: String { "rules" }

    func look() throws -> SetupState {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let rules = names.filter { $0.hasSuffix(".policy") }.sorted()
        return rules.isEmpty ? .missing("\(folder)/default.policy") : .kept(rules.map { "\(folder)/\($0)" }.joined(separator: ", "))
    }

    func perform() throws -> [String] {
        try NewFile.write(String(decoding: PackageResources.default_policy, as: UTF8.self), to: folder + "/default.policy", mode: 0o640, owner: owner)
        return []
    }
}

/// A certificate that vouches for itself, where none is there yet.
struct CertificateStep: SetupStep {
    static let days = 3650
    let certificate: String
    let key: String
    let names: [String]
    let owner: Ownership
    var item: String { "certificate" }

    func look() throws -> SetupState {
        guard !certificate.isEmpty else { return .skipped("smtpd_tls_cert_file is empty: there is no TLS, and nobody can log in") }
        if NewFile.exists(certificate) { return .kept(certificate) }
        guard !key.isEmpty, !NewFile.exists(key) else { throw SetupFailure("there is a key \(key), and no certificate \(certificate) to it: put it there, or move the key away") }
        return .missing("\(certificate), which vouches for itself, for \(names.joined(separator: ", "))")
    }

    func perform() throws -> [String] {
        let made = try SelfSignedCertificate.generate(names: names, days: Self.days)
        try NewFile.write(made.privateKeyPEM, to: key, mode: 0o640, owner: owner)
        try NewFile.write(made.certificatePEM, to: certificate, mode: 0o644, owner: owner)
        return []
    }
}

/// The unit for systemd, unless the package has brought it.
struct UnitStep: SetupStep {
    let folder: String
    let program: String
    let settingsFile: String
    let user: String?
    /// The data folder.
    let data: String
    var item: String { "systemd unit" }
    private var path: String { folder + "/postern.service" }

    func look() throws -> SetupState {
        let all = [path, "/lib/systemd/system/postern.service", "/usr/lib/systemd/system/postern.service"]
        if let found = all.first(where: { NewFile.exists($0) }) { return .kept(found) }
        return .missing(path)
    }

    func perform() throws -> [String] {
        try NewFile.write(text, to: path, mode: 0o644, owner: Ownership(user: nil))
        return []
    }

    /// The package's, with this program, these settings, this user and this data folder.
    var text: String {
        let text = String(decoding: PackageResources.postern_service, as: UTF8.self)
            .replacing("/usr/bin/postern ", with: program + " ")
            .replacing("/etc/postern/postern.toml", with: settingsFile)
            .replacing("User=postern\nGroup=postern\n", with: user.map { "User=\($0)\nGroup=\($0)\n" } ?? "")
        // Elsewhere the file system is read-only to it.
        return data == "/var/lib/postern" ? text : text.replacing("StateDirectory=postern\n", with: "StateDirectory=postern\nReadWritePaths=\(data)\n")
    }
}
