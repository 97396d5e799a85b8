import ArgumentParser
import NetworkAddress
import PosternDaemon
import PublishedRecords

struct DNSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Print the DNS records to publish, and check those that are.", subcommands: [DNSRecordsCommand.self, DNSCheckCommand.self])
}

/// Which server: its settings, and where the world reaches it.
struct ServerOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption
    @Option(help: ArgumentHelp("An address at which the world reaches this server, instead of public_addresses or the interfaces'. Can be repeated.", valueName: "address"),
            transform: {
                guard let address = IPAddress($0) else { throw ValidationError("'\($0)' is not an IP address") }
                return address
            })
    var address: [IPAddress] = []

    func read() throws -> (settings: Settings, setup: MailSetup, problems: [String]) {
        let settings = try SettingsFile.load(file.config)
        let (setup, problems) = MailSetup.read(settings, addresses: address)
        return (settings, setup, problems)
    }
}

/// Which records: of one domain, or of all.
struct MailSetupOptions: ParsableArguments {
    @OptionGroup var server: ServerOptions
    @Argument(help: "Only this domain. Default: all of mydestination.") var domain: String?

    /// - Throws: ``CommandFailure`` for a domain that is none of ours.
    func read() throws -> (settings: Settings, setup: MailSetup, only: DomainName?, problems: [String]) {
        let (settings, setup, problems) = try server.read()
        let only = try domain.map { text in
            guard let name = DomainName(text), setup.domains.contains(name) else {
                throw CommandFailure("\(text) is not in mydestination (\(setup.domains.map(\.text).joined(separator: ", ")))")
            }
            return name
        }
        return (settings, setup, only, problems)
    }
}
