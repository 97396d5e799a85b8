import ArgumentParser
import Foundation
import InternetMessage
import NetworkAddress
import PosternDaemon
import PosternSetup

struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Set a mail server up for a domain: settings, keys, certificate, first account, systemd unit.",
        discussion: """
            Finds out what it can and asks for the rest; every answer is an option, too. What is there already is kept as it \
            is, so a second run changes nothing. Run as root it makes the system user that the server becomes.

            Exit status: 0 done, 1 something could not be made (what was made before stays), 64 wrong or missing options.
            """)

    @Argument(help: "The domain whose mail it is: example.org") var domain: String
    @Option(help: "The log-in name of the first account, alice or alice@example.org. It is the postmaster, too.") var account: String?
    @Option(help: "An address at which the world reaches this server. Can be repeated. Default: the public ones of its interfaces.") var address: [String] = []
    @Option(help: "The server's own name. Default: this machine's, when it lies in the domain; else mail.DOMAIN.") var hostname: String?
    @Option(help: "The folder of postern.toml and what it names.") var directory = SetupDefaults.directory
    @Option(help: "The folder of mail, keys and accounts. Default: /var/lib/postern, or data in another --directory.") var dataDirectory: String?
    @Option(help: "The user that the server runs as, made when it is missing; \"\" for whoever starts it. Default: postern, when run as root.") var user: String?
    @Option(help: "Where the systemd unit goes; \"\" for nowhere. Default: /etc/systemd/system, when run as root without --directory.") var unitDirectory: String?
    @Flag(help: "Let the server obtain and renew its certificate from Let's Encrypt (ACME), whose terms of service you agree to. The world must reach port 80.") var acme = false
    @Flag(name: [.long, .short], help: "Ask nothing.") var yes = false
    @Flag(help: "Show what would be made, and make nothing.") var dryRun = false

    func run() async throws {
        let request = try SetupQuestions(isInteractive: !yes && isatty(STDIN_FILENO) == 1).request(self)
        await Exit.withMessage {
            var secrets: [String] = [], made = 0
            try request.plan().run(dry: dryRun) { outcome in
                print(Self.line(outcome))
                secrets += outcome.secrets
                if outcome.word == "made" { made += 1 }
            }
            for secret in secrets { print("\n" + secret) }
            if dryRun { return print("\nNothing was changed.") }
            if made == 0 { print("\nEverything was there already; nothing was changed.") }
            if acme, try !request.settings()[Known.acme] { print("\n\(request.settingsFile) was there already and does not ask for ACME: write `acme = true` into it.") }
            print("\n" + Self.nextSteps(request))
        }
    }

    private static func line(_ outcome: SetupPlan.Outcome) -> String {
        outcome.word.padding(toLength: 12, withPad: " ", startingAt: 0) + outcome.item.padding(toLength: 17, withPad: " ", startingAt: 0) + outcome.detail
    }

    private static func nextSteps(_ request: SetupRequest) -> String {
        let isUsual = request.settingsFile == SetupDefaults.directory + "/postern.toml"
        let config = isUsual ? "" : " --config \(request.settingsFile)"
        let start = request.unitDirectory == nil ? "postern serve\(config)" : "systemctl enable --now postern"
        return """
            Next:
              1. publish the records that this prints:   postern dns records\(config)
              2. start the server:                       \(start)
              3. see whether the world finds it:         postern dns check\(config)
            """
    }
}

enum SetupDefaults {
    static let directory = "/etc/postern"
}

/// Makes a request of options, of what the machine tells, and of answers.
struct SetupQuestions {
    let isInteractive: Bool

    /// - Throws: `ValidationError` that names the option.
    func request(_ command: SetupCommand) throws -> SetupRequest {
        guard let domain = DomainName(command.domain), domain.isHostName, !domain.isRoot, domain.text.contains(".") else {
            throw ValidationError("'\(command.domain)' is not a domain such as example.org")
        }
        let isRoot = geteuid() == 0
        let directory = Self.absolute(command.directory), isUsual = directory == SetupDefaults.directory
        let user = command.user ?? (isRoot ? "postern" : "")
        let units = command.unitDirectory ?? (isRoot && isUsual && access("/etc/systemd/system", W_OK) == 0 ? "/etc/systemd/system" : "")
        let data = command.dataDirectory.map { Self.absolute($0) } ?? (isUsual ? "/var/lib/postern" : directory + "/data")
        var request = SetupRequest(
            domain: domain, hostname: try hostname(command.hostname, domain), addresses: try addresses(command.address), account: try account(command.account, domain),
            directory: directory, dataDirectory: data, user: user.isEmpty ? nil : user, unitDirectory: units.isEmpty ? nil : Self.absolute(units),
            program: Self.program)
        request.usesACME = command.acme
        return request
    }

    private func hostname(_ given: String?, _ domain: DomainName) throws -> DomainName {
        if let given {
            guard let name = DomainName(given), name.isHostName, given.contains(".") else { throw ValidationError("--hostname '\(given)' is not a name such as mail.\(domain)") }
            return name
        }
        var buffer = [CChar](repeating: 0, count: 256)
        if gethostname(&buffer, 255) == 0 {
            let own = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if let name = DomainName(own), name.isHostName, name.text.hasSuffix("." + domain.text) { return name }
        }
        guard let name = DomainName("mail." + domain.text) else { throw ValidationError("give --hostname: mail.\(domain) is too long") }
        return name
    }

    private func addresses(_ given: [String]) throws -> [IPAddress] {
        guard given.isEmpty else { return try given.map { try Self.address($0) } }
        let found = InterfaceAddresses.reachable()
        if !found.isEmpty { return found }
        let answer = try ask("This machine's interfaces have no public address. At which address does the world reach it? ", option: "--address 203.0.113.5")
        return try answer.split(whereSeparator: { $0 == " " || $0 == "," }).map { try Self.address(String($0)) }
    }

    private static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw ValidationError("--address '\(text)' is not an address such as 203.0.113.5 or 2001:db8::1") }
        return address
    }

    private func account(_ given: String?, _ domain: DomainName) throws -> EmailAddress {
        let text = try given ?? ask("Log-in name of the first account, alice or alice@\(domain): ", option: "--account alice")
        guard let address = EmailAddress(text.contains("@") ? text : "\(text)@\(domain)"), address.domainName != nil else {
            throw ValidationError("--account '\(text)' is neither a name such as alice nor an address such as alice@\(domain)")
        }
        return address.folded
    }

    private func ask(_ question: String, option: String) throws -> String {
        guard isInteractive else { throw ValidationError("this cannot be found out, and nobody is asked: give \(option)") }
        FileHandle.standardError.write(Data(question.utf8))
        guard let answer = readLine()?.trimmingCharacters(in: .whitespaces), !answer.isEmpty else { throw ValidationError("no answer; give \(option)") }
        return answer
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    /// Where this program lies.
    private static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/usr/bin/postern"
    }
}
