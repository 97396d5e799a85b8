import ArgumentParser
import DKIM
import DKIMKeys
import Foundation
import NetworkAddress
import PosternDaemon

extension DKIMCommand {
    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make keys for a domain and print the records to publish.",
            discussion: "Both algorithms by default: RSA-2048, which every verifier knows, and Ed25519 beside it. The keys sign once their records are seen: see check.")
        @OptionGroup var options: KeyStoreOptions
        @Argument(help: "The domain of From addresses that the keys sign for.") var domain: String
        @Option(help: "Default: today's date. For two keys -rsa and -ed25519 are added.") var selector: String?
        @Flag(help: "An RSA-2048 key.") var rsa = false
        @Flag(help: "An Ed25519 key.") var ed25519 = false
        @Flag(help: "The domain's keys sign for From domains below it, too.") var subdomains = false

        func run() async throws {
            await Exit.withMessage {
                let domain = try DKIMCommand.domain(domain)
                let kinds = SigningKey.Kind.standard.filter { rsa == ed25519 || ($0 == .ed25519) == ed25519 }
                try await options.withKeeper { keeper, _ in
                    let keys = try keeper.create(domain, kinds, selector: selector, signsSubdomains: subdomains ? true : nil)
                    KeyPrinter.staged(keys)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the keys, their states, and what to do next. Asks no DNS.")
        @OptionGroup var options: KeyStoreOptions
        @Argument(help: "Default: every domain.") var domain: String?
        @Flag(help: "Print JSON: an array of keys.") var json = false

        func run() async throws {
            await Exit.withMessage {
                let settings = try options.settings()
                let store = KeyStore(folder: settings.dkimKeyFolder)
                let wanted = try domain.map { try DKIMCommand.domain($0) }
                let all = try (wanted.map { [$0] } ?? store.domains()).compactMap { try store.load($0) }
                let rows = try KeyRow.configured(settings, wanted) + all.flatMap { KeyRow.rows($0) }
                if rows.isEmpty, !json { print("no keys in \(store.folder) and none in the settings; make some with: postern dkim new DOMAIN") }
                try KeyPrinter.print(rows, json: json)
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look the published records up, and let staged keys sign whose records are everywhere.",
            discussion: """
                Asks every authoritative name server of the zone that holds the record; where none can be reached, the resolver.

                Exit status: 0 every record that must be published is; 1 could not run; 3 a record is missing or wrong; \
                4 nothing is known to be wrong, but not every server answered: try again.
                """)
        @OptionGroup var options: KeyStoreOptions
        @Argument(help: "Default: every domain.") var domain: String?
        @Flag(help: "Only look: staged keys stay staged.") var dryRun = false
        @Flag(help: "Print JSON: an array of keys with the word of each server.") var json = false

        func run() async throws {
            var status: Int32 = 0
            await Exit.withMessage {
                let wanted = try domain.map { try DKIMCommand.domain($0) }
                let rows = try await options.withKeeper { keeper, settings in
                    var rows = try await configured(settings, wanted, keeper)
                    let stored = try keeper.store.domains()
                    // A domain that only the settings know has no keys in the store; one that nobody knows is an error.
                    for domain in wanted.map({ [$0] }) ?? stored where stored.contains(domain) || rows.isEmpty {
                        rows += KeyRow.rows(try await keeper.check(domain, activating: !dryRun))
                    }
                    return rows
                }
                if rows.isEmpty, !json { print("no keys; make some with: postern dkim new DOMAIN") }
                try KeyPrinter.print(rows, json: json)
                status = KeyRow.status(rows)
            }
            if status != 0 { throw ExitCode(status) }
        }

        private func configured(_ settings: Settings, _ wanted: DomainName?, _ keeper: KeyKeeper) async throws -> [KeyRow] {
            var rows = try KeyRow.configured(settings, wanted)
            for index in rows.indices {
                guard let name = DomainName(rows[index].name) else { continue }
                rows[index].publication = await keeper.publication(of: rows[index].record, at: name)
            }
            return rows
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace a domain's keys, one step at a time: run it again after publishing.",
            discussion: """
                The first run makes staged keys and prints their records. Later runs are as check: the new keys take over \
                once their records are everywhere, and the old ones' records stay until the date that is printed.

                Exit status: 0 staged or switched; 1 could not run; 3 a record is missing or wrong; 4 not every server answered.
                """)
        @OptionGroup var options: KeyStoreOptions
        @Argument(help: "The domain.") var domain: String
        @Option(help: "For the new keys. Default: today's date.") var selector: String?

        func run() async throws {
            var status: Int32 = 0
            await Exit.withMessage {
                let domain = try DKIMCommand.domain(domain)
                let report = try await options.withKeeper { keeper, _ in try await keeper.rotate(domain, selector: selector) }
                if report.publications.isEmpty { return KeyPrinter.staged(report.keys) }
                let rows = KeyRow.rows(report)
                try KeyPrinter.print(rows, json: false)
                status = KeyRow.status(rows)
            }
            if status != 0 { throw ExitCode(status) }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End replaced keys whose date has come: remove the private key, and say which record may go.")
        @OptionGroup var options: KeyStoreOptions
        @Argument(help: "The domain.") var domain: String
        @Option(help: "Only this key. Default: every one whose date has come.") var selector: String?
        @Flag(help: "Regardless of its date and of whether it still signs: for a compromised key. Needs --selector.") var now = false

        func validate() throws {
            if now, selector == nil { throw ValidationError("--now needs --selector: it ends a key that may still be in use") }
        }

        func run() async throws {
            await Exit.withMessage {
                let domain = try DKIMCommand.domain(domain)
                try await options.withKeeper { keeper, _ in
                    let (keys, retired) = try keeper.retire(domain, selector: selector, regardless: now)
                    for key in retired { print("\(key.selector): " + NextStep(key, of: keys, now: Date()).text) }
                    if now { print("A running server forgets the key within ten minutes, or at once with SIGHUP.") }
                }
            }
        }
    }

    static func domain(_ text: String) throws -> DomainName {
        guard let domain = DomainName(text), domain.isHostName, !domain.isRoot else { throw CommandFailure("\"\(text)\" is not a domain such as example.org") }
        return domain
    }
}
