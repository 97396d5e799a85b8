import Foundation
import Logging
import NIOPosix
import PosternDaemon
import UnixSignals

/// `postern demo`: two gateways on loopback, a zone of their own, five messages, a table, and then service.
public struct DemoRun: Sendable {
    public var once: Bool
    /// nil: a new folder below the temporary one, removed at the end.
    public var dataFolder: String?
    public var portsBase: Int
    /// nil: the `policies` folder of the source tree.
    public var policies: String?
    public var connectionFile: String?

    public init(once: Bool, dataFolder: String?, portsBase: Int, policies: String?, connectionFile: String?) {
        self.once = once
        self.dataFolder = dataFolder
        self.portsBase = portsBase
        self.policies = policies
        self.connectionFile = connectionFile
    }

    /// - Returns: whether every row was as expected.
    /// - Throws: what kept it from running.
    public func run() async throws -> Bool {
        signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let folder = try makeFolder()
        defer { if dataFolder == nil { try? FileManager.default.removeItem(atPath: folder) } }
        let world = try DemoWorld()
        let ports = LoopbackPorts.choose(base: portsBase, hosts: [world.home.address, world.work.address])
        let settings = DemoSettings(folder: folder, world: world, ports: ports, policies: try policyFolder())
        let logger = Logger(label: "demo")
        let home = try Gateway(try SettingsFile.load(try settings.write(world.home, withMilter: true)), logger: logger)
        let work = try Gateway(try SettingsFile.load(try settings.write(world.work, withMilter: false)), logger: logger)
        let alice = "alice@\(world.home.name)", bob = "bob@\(world.work.name)", password = Self.password()
        try home.accounts.add(alice, password: password, addresses: [])
        try work.accounts.add(bob, password: Self.password(), addresses: [])
        try await home.start()
        try await work.start()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let scenes = DemoScenes(world: world, ports: ports, group: group, alice: alice, alicePassword: password, bob: bob,
                                aliceMail: mail(folder, world.home, alice), bobMail: mail(folder, world.work, bob))
        let rows = try await scenes.all()
        print(DemoTable.text(rows))
        let good = rows.allSatisfy { $0.complaint == nil }
        print(good ? "\nAll \(rows.count) rows are as expected." : "\nNot every row is as expected: see above.")
        if !once {
            let facts = ConnectionFacts(world, ports, alice: alice, password: password, bob: bob, folder: folder)
            print("\n" + facts.text)
            if let connectionFile { try facts.write(to: connectionFile) }
            fflush(nil)
            for await _ in signals { break }
        }
        await home.stop()
        await work.stop()
        try await group.shutdownGracefully()
        return good
    }

    private func mail(_ folder: String, _ domain: DemoWorld.Domain, _ account: String) -> DeliveredMail {
        DeliveredMail(maildir: "\(folder)/\(domain.name)/data/mail/\(account)/Maildir")
    }

    private func makeFolder() throws -> String {
        if let dataFolder {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: dataFolder)) ?? []
            guard names.isEmpty else { throw DemoFailure("\(dataFolder) is not empty: the demo starts afresh; name another folder with --data") }
            try FileManager.default.createDirectory(atPath: dataFolder, withIntermediateDirectories: true)
            return URL(fileURLWithPath: dataFolder).standardizedFileURL.path
        }
        let folder = NSTemporaryDirectory() + "postern-demo-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// The rules stand in the source tree: beside the working folder, or above the program.
    private func policyFolder() throws -> String {
        if let policies { return URL(fileURLWithPath: policies).standardizedFileURL.path }
        var candidates = [FileManager.default.currentDirectoryPath]
        var place = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        for _ in 0..<6 {
            place = place.deletingLastPathComponent()
            candidates.append(place.path)
        }
        let found = candidates.map { $0 + "/policies" }.first { FileManager.default.fileExists(atPath: $0 + "/default.policy") }
        guard let found else { throw DemoFailure("there is no policies/default.policy near here; name the folder with --policies") }
        return found
    }

    private static func password() -> String {
        String((0..<16).map { _ in "abcdefghjkmnpqrstuvwxyz23456789".randomElement() ?? "x" })
    }
}
