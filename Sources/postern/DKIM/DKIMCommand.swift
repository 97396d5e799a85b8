import ArgumentParser
import BlockingPool
import DKIMKeys
import DNS
import Foundation
import NetworkAddress
import PosternDaemon
import UnboundResolver

struct DKIMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dkim", abstract: "Make, publish, rotate and retire DKIM keys; sign and verify single messages.",
        discussion: """
            A key's life: `new` makes it and prints its record (staged); once every name server of the zone has the \
            record, `check` lets it sign (active), and so does a running server within ten minutes; `rotate` makes its \
            successor, and when that signs the key signs no more (retiring); its record stays until the date that `list` \
            shows; then `retire` removes the private key (retired) and the record may go.

            A running server takes up what these commands changed within ten minutes, or at once with SIGHUP.

            Exit status of all: 0 done, 1 could not be done, 64 wrong arguments; of `check`, `rotate` and `verify` also 3 and 4: see there.
            """,
        subcommands: [New.self, List.self, Check.self, Rotate.self, Retire.self, Sign.self, Verify.self])
}

/// Settings, store and resolver of the key commands.
struct KeyStoreOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption
    @OptionGroup var resolver: DNSOptions
    @Option(help: ArgumentHelp("Port of the authoritative name servers. Anything but 53 is for tests.", visibility: .hidden))
    var nameServerPort: UInt16 = 53

    func settings() throws -> Settings { try SettingsFile.load(file.config) }

    /// Runs `body` with a keeper whose resolver is closed afterwards.
    func withKeeper<Result>(_ body: (KeyKeeper, Settings) async throws -> Result) async throws -> Result {
        let settings = try settings()
        let resolver = try resolver.isGiven ? resolver.make() : ResolverSettings.resolver(settings)
        defer { resolver.close() }
        let pool = BlockingPool(threads: 16, name: "dns")
        return try await body(KeyKeeper.make(settings, resolver: resolver, nameServerPort: self.resolver.zone == nil ? nameServerPort : nil, pool: pool), settings)
    }
}

/// Whom to ask.
struct DNSOptions: ParsableArguments {
    @Option(help: "The resolver to ask, 192.0.2.1:53 or [2001:db8::1]:53. Default: that of the settings, or of /etc/resolv.conf.")
    var resolver: String?
    @Option(help: "Answer from this zone file and ask nobody.") var zone: String?

    var isGiven: Bool { resolver != nil || zone != nil }

    func make() throws -> UnboundResolver {
        var configuration = UnboundConfiguration(timeout: .seconds(10))
        if let resolver { configuration.forwarders = [try Self.forwarder(resolver)] }
        if let zone {
            guard let text = try? String(contentsOfFile: zone, encoding: .utf8) else { throw CommandFailure("--zone \(zone) cannot be read") }
            configuration.localData = try ZoneText.parse(text)
            configuration.offline = true
        }
        return try UnboundResolver(configuration: configuration)
    }

    /// `HOST:PORT` as libunbound writes it, `HOST@PORT`.
    private static func forwarder(_ text: String) throws -> String {
        let bare = text.filter { !"[]".contains($0) }
        if IPAddress(bare) != nil { return bare }
        guard let colon = bare.lastIndex(of: ":"), let port = UInt16(bare[bare.index(after: colon)...]), let host = IPAddress(String(bare[..<colon])) else {
            throw CommandFailure("--resolver \(text) must be an address and a port, as 192.0.2.1:53 or [2001:db8::1]:53")
        }
        return "\(host)@\(port)"
    }
}

/// A plain message for the operator.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
