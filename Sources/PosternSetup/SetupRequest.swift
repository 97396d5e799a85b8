import Foundation
import InternetMessage
import NetworkAddress
import PosternDaemon

/// What is to be set up: everything that `postern setup` asks for or finds out.
public struct SetupRequest: Sendable {
    /// Whose mail it is.
    public var domain: DomainName
    /// The server's own name.
    public var hostname: DomainName
    /// Where the world reaches it.
    public var addresses: [IPAddress]
    /// The first account, also postmaster.
    public var account: EmailAddress
    /// Holds `postern.toml` and what it names.
    public var directory: String
    /// Holds mail, keys and accounts.
    public var dataDirectory: String
    /// The user that the server runs as; nil: whoever runs this.
    public var user: String?
    /// Where the systemd unit goes; nil: nowhere.
    public var unitDirectory: String?
    /// Of postern itself, for the unit.
    public var program: String
    /// Whether the server is to obtain its certificate by ACME.
    public var usesACME = false

    public init(domain: DomainName, hostname: DomainName, addresses: [IPAddress], account: EmailAddress, directory: String, dataDirectory: String,
                user: String?, unitDirectory: String?, program: String) {
        self.domain = domain
        self.hostname = hostname
        self.addresses = addresses
        self.account = account
        self.directory = directory
        self.dataDirectory = dataDirectory
        self.user = user
        self.unitDirectory = unitDirectory
        self.program = program
    }

    public var settingsFile: String { directory + "/postern.toml" }

    /// The settings that will hold: those of the file that is there, or of the one that would be written.
    /// - Throws: what is wrong with the file that is there.
    public func settings() throws -> Settings {
        if access(settingsFile, F_OK) == 0 { return try SettingsFile.load(settingsFile) }
        return try SettingsFile.parse(SettingsTemplate(self).text, file: settingsFile, baseFolder: directory)
    }

    /// The steps, in their order: root's first, since the last ones run as the server's user.
    public func plan() throws -> SetupPlan {
        let settings = try settings()
        let owner = Ownership(user: user)
        let data = settings[Known.dataDirectory].path
        var steps: [any SetupStep] = []
        if let user { steps.append(UserStep(user: user, home: data)) }
        steps.append(FolderStep(item: "settings folder", path: directory, mode: 0o750, owner: owner.groupOnly))
        if !settings[Known.policyDirectory].isEmpty { steps.append(PolicyStep(folder: settings[Known.policyDirectory].path, owner: owner.groupOnly)) }
        steps.append(SettingsStep(path: settingsFile, text: SettingsTemplate(self).text, domain: domain, owner: owner.groupOnly))
        steps.append(CertificateStep(certificate: settings[Known.certFile].path, key: settings[Known.keyFile].path, names: certificateNames(settings), owner: owner.groupOnly))
        if let unitDirectory { steps.append(UnitStep(folder: unitDirectory, program: program, settingsFile: settingsFile, user: user, data: data)) }
        steps.append(FolderStep(item: "data folder", path: data, mode: 0o711, owner: owner))
        steps.append(KeyStep(domain: domain, settings: settings))
        steps.append(AccountStep(address: account, settings: settings))
        return SetupPlan(steps)
    }

    private func certificateNames(_ settings: Settings) -> [String] {
        var names: [String] = []
        for name in [settings[Known.myhostname]] + [domain] where !names.contains(name.text) { names.append(name.text) }
        return names
    }
}
