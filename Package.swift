// swift-tools-version: 6.0
import PackageDescription

// The C libraries are Debian's -dev packages (libmilter-dev, libopendkim-dev, libssl-dev, libunbound-dev,
// libcrypt-dev, libarchive-dev, zlib1g-dev). Each has a plain C target that holds the shims for what Swift cannot call: macros, variadics,
// non-const strings. No pkgConfig: libunbound's .pc file asks for libevent, which it does not need.
let package = Package(
    name: "postern",
    products: [
        .executable(name: "postern", targets: ["postern"]),
        .library(name: "DNS", targets: ["DNS"]),
        .library(name: "SPF", targets: ["SPF"]),
        .library(name: "DKIM", targets: ["DKIM"]),
        .library(name: "DMARC", targets: ["DMARC"]),
        .library(name: "Milter", targets: ["Milter"]),
        .library(name: "InternetMessage", targets: ["InternetMessage"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C libraries behind shims
        .target(name: "CMilter", linkerSettings: [.linkedLibrary("milter")]),
        .target(name: "COpenDKIM", linkerSettings: [.linkedLibrary("opendkim"), .linkedLibrary("crypto")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CUnbound", linkerSettings: [.linkedLibrary("unbound")]),
        .target(name: "CCrypt", linkerSettings: [.linkedLibrary("crypt")]),
        .target(name: "CArchive", linkerSettings: [.linkedLibrary("archive")]),
        .target(name: "CTimex"),
        .target(name: "CMemory"),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),

        // Vocabulary: no socket, no file
        .target(name: "NetworkAddress"),
        .target(name: "BlockingPool"),
        .target(name: "StateFiles", dependencies: ["COpenSSL", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "InternetMessage", dependencies: ["NetworkAddress"]),
        .target(name: "DNS", dependencies: ["BlockingPool", "NetworkAddress"]),
        .target(name: "Milter", dependencies: ["InternetMessage", "NetworkAddress"]),
        .target(name: "SASL", dependencies: ["COpenSSL", "InternetMessage"]),
        .target(name: "SMTPCore", dependencies: ["SASL", "InternetMessage", "NetworkAddress"]),
        .target(name: "IMAPCore", dependencies: ["InternetMessage"]),

        // Message authentication and policy
        .target(name: "SPF", dependencies: ["DNS", "InternetMessage", "NetworkAddress"]),
        .target(name: "DKIM", dependencies: ["DNS", "InternetMessage", "COpenDKIM", "COpenSSL"]),
        // Asks authoritative name servers directly.
        .target(name: "NameServers", dependencies: ["BlockingPool", "DNS", "NetworkAddress"]),
        .target(name: "DKIMKeys", dependencies: ["BlockingPool", "DKIM", "DNS", "NameServers", "NetworkAddress"]),
        // What the DNS should say of a domain's mail, from facts alone.
        .target(name: "PublishedRecords", dependencies: ["DKIM", "DMARC", "DNS", "MTASTS", "InternetMessage", "NetworkAddress"]),
        .target(name: "DMARC", dependencies: ["DNS", "InternetMessage", "NetworkAddress"]),
        .target(name: "DMARCRecords", dependencies: ["StateFiles", "DMARC", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "DecisionRecords", dependencies: ["StateFiles", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "Tags", dependencies: ["StateFiles", "COpenSSL", "InternetMessage", "NetworkAddress", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "Policy", dependencies: ["DNS", "InternetMessage", "NetworkAddress"]),
        .target(name: "Archives", dependencies: ["CArchive"]),
        .target(
            name: "PolicySources",
            dependencies: ["StateFiles", "Archives", "BlockingPool", "DNS", "Policy", "InternetMessage", "NetworkAddress",
                           .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "MailFilters",
            dependencies: ["BlockingPool", "Milter", "SPF", "DKIM", "DMARC", "Tags", "Policy", "DNS", "InternetMessage", "NetworkAddress",
                           "DecisionRecords",
                           .product(name: "Logging", package: "swift-log")]),

        // Asks rules about messages that came before, from their records.
        .target(
            name: "PolicyReplay",
            dependencies: ["DecisionRecords", "MailFilters", "Milter", "Policy", "PolicySources", "InternetMessage", "NetworkAddress",
                           .product(name: "Logging", package: "swift-log")]),

        // Runs the `test` blocks of rule files through the filters.
        .target(
            name: "PolicyTesting",
            dependencies: ["BlockingPool", "Policy", "PolicySources", "MailFilters", "Milter", "SPF", "DKIM", "DMARC", "DNS", "Tags", "InternetMessage", "NetworkAddress",
                           .product(name: "Logging", package: "swift-log")]),

        // What the diagnosing commands print, made of results; asks nobody and reads nothing.
        .target(
            name: "Diagnostics",
            dependencies: ["SPF", "DKIM", "DMARC", "DNS", "MailFilters", "Milter", "Policy", "Tags", "InternetMessage", "NetworkAddress",
                           "DecisionRecords", "PolicyReplay", "PolicyTesting"]),

        // Looks at a server as the world and the machine see it, and says what is wrong.
        .target(
            name: "Checkup",
            dependencies: ["BlockingPool", "CTimex", "DKIM", "DMARC", "DNS", "HTTPSClient", "MTASTS", "NameServers", "PublishedRecords", "SPF", "TLS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOPosix", package: "swift-nio")]),

        // Ground: resolver, TLS, accounts, store, queue
        .target(name: "UnboundResolver", dependencies: ["DNS", "NetworkAddress", "CUnbound"]),
        .target(
            name: "TLS",
            dependencies: ["COpenSSL", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOConcurrencyHelpers", package: "swift-nio")]),
        .target(
            name: "Accounts",
            dependencies: ["StateFiles", "BlockingPool", "CCrypt", "COpenSSL", "SASL", "InternetMessage", "NetworkAddress", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "MailStore", dependencies: ["CMemory", "StateFiles", "BlockingPool", "InternetMessage", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "MailQueue", dependencies: ["BlockingPool", "InternetMessage"]),
        .target(name: "Pickup", dependencies: ["BlockingPool", "SMTPCore", "InternetMessage", "NetworkAddress", .product(name: "Logging", package: "swift-log")]),
        .target(name: "Aliases", dependencies: ["StateFiles", "COpenSSL", "InternetMessage", "NetworkAddress"]),

        .target(name: "PostfixDoctor"),
        .target(name: "PostfixImport", dependencies: ["PostfixDoctor", "Aliases", "InternetMessage", "NetworkAddress"]),

        // Servers and clients: thin shells over the cores
        .target(
            name: "DovecotAuth",
            dependencies: ["Accounts", "LocalSocket", "SASL", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(name: "LocalSocket", dependencies: [.product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio")]),
        .target(
            name: "Control",
            dependencies: ["LocalSocket", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "SMTPServer",
            dependencies: ["BlockingPool", "LocalSocket", "SASL", "SMTPCore", "Milter", "Accounts", "TLS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "HTTPSClient",
            dependencies: ["TLS", "DNS", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio")]),
        .target(
            name: "ACME",
            dependencies: ["COpenSSL", "HTTPSClient", "DNS", "NetworkAddress"]),
        .target(
            name: "WebServer",
            dependencies: ["TLS", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(name: "MTASTS", dependencies: ["BlockingPool", "DNS", "HTTPSClient", "NetworkAddress"]),
        .target(name: "TLSReports", dependencies: ["StateFiles", "SMTPClient", "NetworkAddress", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "SMTPClient",
            dependencies: ["SMTPCore", "SASL", "MTASTS", "TLS", "DNS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "IMAPServer",
            dependencies: ["COpenSSL", "CZlib", "BlockingPool", "IMAPCore", "MailStore", "Accounts", "SASL", "TLS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "MilterServer",
            dependencies: ["BlockingPool", "Milter", "CMilter", "InternetMessage", "NetworkAddress", .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "MilterClient",
            dependencies: ["Milter", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "Delivery",
            dependencies: ["BlockingPool", "MailQueue", "MailStore", "SMTPClient", "SMTPCore", "DNS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOPosix", package: "swift-nio"), .product(name: "Logging", package: "swift-log")]),

        // The program
        .target(
            name: "PosternDaemon",
            dependencies: ["BlockingPool", "CMemory", "HTTPSClient", "MTASTS", "SMTPClient", "LocalSocket", "SMTPServer", "DovecotAuth", "MilterServer", "MilterClient", "IMAPServer", "Delivery", "DMARCRecords", "MailFilters", "UnboundResolver", "Accounts",
                           "DKIM", "DKIMKeys", "NameServers", "PublishedRecords", "TLS", "MailStore", "MailQueue", "DNS", "Policy", "TOMLKit",
                           "DecisionRecords", "PolicyReplay",
                           "TLSReports",
                           "ACME", "WebServer", "StateFiles",
                           "Aliases",
                           "Pickup",
                           "Control",
                           "PolicySources",
                           .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log"),
                           .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                           .product(name: "UnixSignals", package: "swift-service-lifecycle")]),
        .target(
            name: "PosternDemo",
            dependencies: ["PosternDaemon", "DKIM", "DNS", "SMTPClient", "SMTPCore", "TLS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log"),
                           .product(name: "UnixSignals", package: "swift-service-lifecycle")]),
        // `postern setup`. The files are those of contrib/systemd and policies.
        .target(
            name: "PosternSetup",
            dependencies: ["PosternDaemon", "Accounts", "BlockingPool", "DKIM", "DKIMKeys", "DNS", "InternetMessage", "NetworkAddress", "TLS"],
            resources: [.embedInCode("Files/postern.service"), .embedInCode("Files/default.policy")]),
        .executableTarget(
            name: "postern",
            dependencies: ["PosternDaemon", "PostfixDoctor", "PostfixImport", "PosternDemo", "Accounts", "BlockingPool", "DKIM", "DKIMKeys", "DNS", "NameServers", "Checkup", "PublishedRecords", "TLS", "InternetMessage", "NetworkAddress",
                           "DecisionRecords", "PolicyReplay",
                           "Pickup", "PosternSetup",
                           "MailQueue", "Delivery", "Control",
                           "TLSReports",
                           "MailStore", "IMAPServer",
                           "Policy", "PolicyTesting", "Tags",
                           "SPF", "DMARC", "Diagnostics", "UnboundResolver", "HTTPSClient", .product(name: "NIOPosix", package: "swift-nio"), .product(name: "ArgumentParser", package: "swift-argument-parser")]),

        // Tests
        .target(name: "PosternTesting", dependencies: ["DNS", "NetworkAddress"], path: "Tests/PosternTesting"),
        // What the tag ledger costs; run by hand.
        .executableTarget(name: "tags-bench", dependencies: ["Tags", "InternetMessage", "NetworkAddress"], path: "Tests/tags-bench"),
        // What a full queue costs; run by hand.
        .executableTarget(name: "queue-bench", dependencies: ["BlockingPool", "MailQueue", "InternetMessage"], path: "Tests/queue-bench"),
        // What decision records cost; run by hand.
        .executableTarget(name: "records-bench", dependencies: ["DecisionRecords"], path: "Tests/records-bench"),
        // The conversations of Tests/interop/scenarios: their text, the scripted filters, and the road through a chain in process.
        .target(name: "ScenarioTesting", dependencies: ["Milter", "SMTPCore", "InternetMessage", "NetworkAddress"], path: "Tests/ScenarioTesting"),
        .executableTarget(
            name: "scenario-chain",
            dependencies: ["ScenarioTesting", "PosternDaemon", "Milter", .product(name: "Logging", package: "swift-log")],
            path: "Tests/scenario-chain"),
        .testTarget(name: "ScenarioTests", dependencies: ["ScenarioTesting", "PosternDaemon", "Milter", .product(name: "Logging", package: "swift-log")], path: "Tests/ScenarioTests"),
        // libmilter serves once in a process, so its tests speak to this one (Tests/interop).
        .executableTarget(
            name: "milter-fixture",
            dependencies: ["BlockingPool", "Milter", "MilterServer", "ScenarioTesting", "InternetMessage", "NetworkAddress", .product(name: "Logging", package: "swift-log")],
            path: "Tests/milter-fixture"),
        // Figures, not a test: swift run -c release policy-bench
        .executableTarget(name: "micro-bench", dependencies: ["SMTPCore", "IMAPCore", "SPF", "DKIM", "DMARC", "DNS", "InternetMessage", "NetworkAddress"], path: "Tests/micro-bench"),
        .executableTarget(name: "policy-bench", dependencies: ["Policy", "InternetMessage", "NetworkAddress"], path: "Tests/policy-bench"),
    ] + [
        // How the library products are used; contrib/docs/libraries.md shows the same text.
        .testTarget(name: "LibraryExamples", dependencies: ["DNS", "SPF", "DKIM", "DMARC", "Milter", "InternetMessage", "NetworkAddress"]),
        tests("NetworkAddress"),
        tests("BlockingPool"),
        tests("InternetMessage"),
        tests("DNS"),
        tests("Milter"),
        tests("MilterServer", ["CMilter", "Milter"]),
        tests("SMTPCore", ["SASL"]),
        tests("IMAPCore"),
        tests("SPF", ["DNS"], exclude: ["Resources"]),
        tests("DKIM", ["DNS", "COpenDKIM"]),
        tests("NameServers", ["BlockingPool", "DNS"]),
        tests("DKIMKeys", ["DKIM", "DNS", "NameServers", "BlockingPool"]),
        tests("PublishedRecords", ["DKIM", "DNS"]),
        tests("Checkup", ["DKIM", "DNS", "NameServers", "PublishedRecords"]),
        tests("DMARC", ["DNS"]),
        tests("Tags", ["StateFiles"]),
        tests("StateFiles", grdb: true),
        tests("Policy"),
        tests("MailFilters", ["Milter", "DNS", "DKIM", "DMARC", "Policy", "SPF", "Tags"], nio: true),
        tests("DMARCRecords", ["DMARC", "DNS"]),
        tests("Diagnostics", ["SPF", "DMARC", "DNS", "DecisionRecords", "PolicyReplay"]),
        tests("DecisionRecords", grdb: true),
        tests("PolicyReplay", ["DecisionRecords", "MailFilters", "Milter", "Policy", "DMARC"], nio: true),
        tests("UnboundResolver", ["DNS"]),
        tests("SASL"),
        tests("PostfixDoctor"),
        tests("PostfixImport", ["PostfixDoctor"]),
        tests("Accounts", ["BlockingPool", "SASL"], grdb: true),
        tests("DovecotAuth", ["Accounts", "SASL", "LocalSocket"], nio: true),
        tests("MailStore"),
        tests("MailQueue"),
        tests("Archives", exclude: ["Resources"]),
        tests("PolicySources", ["BlockingPool", "DNS", "Policy"], nio: true, grdb: true),
        tests("PolicyTesting", ["Policy", "DNS", "DKIM", "Diagnostics"]),
        tests("SMTPClient", ["DNS", "MTASTS", "TLS", "SMTPCore"], nio: true),
        tests("HTTPSClient", ["DNS", "TLS"], nio: true),
        tests("ACME", ["COpenSSL"]),
        tests("WebServer", ["TLS"], nio: true),
        tests("MTASTS", ["BlockingPool", "DNS"]),
        tests("TLSReports", ["SMTPClient"]),
        tests("LocalSocket", nio: true),
        tests("TLS", nio: true),
        tests("SMTPServer", ["SMTPCore", "LocalSocket", "Accounts", "Milter", "TLS", "BlockingPool"], nio: true),
        tests("IMAPServer", ["IMAPCore", "MailStore", "Accounts", "TLS", "BlockingPool"], nio: true),
        tests("Delivery", ["MailQueue", "MailStore", "SMTPClient", "SMTPCore", "DNS", "BlockingPool"], nio: true),
        tests("MilterClient", ["Milter"], nio: true),
        tests("Aliases"),
        tests("Pickup", ["BlockingPool", "SMTPCore"], nio: true),
        tests("Control", ["LocalSocket"], nio: true),
        tests("PosternSetup", ["PosternDaemon", "DKIMKeys"]),
        tests("PosternDaemon", ["Accounts", "BlockingPool", "MailFilters", "Milter", "MilterServer", "Policy", "SMTPServer", "MailQueue", "PolicyTesting"], nio: true),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

// The fuzz targets: a program of their own in a fuzzing build (contrib/fuzz sets the variable), else a test that runs what was kept.
let fuzzed: [Target.Dependency] = [
    "Aliases", "Archives", "BlockingPool", "Control", "DKIM", "DKIMKeys", "DMARC", "DNS", "DovecotAuth", "IMAPCore", "IMAPServer", "InternetMessage",
    "MTASTS", "MailQueue", "MailStore", "Milter", "MilterClient", "NameServers", "NetworkAddress", "Pickup", "Policy", "SASL", "SMTPClient", "SMTPCore", "SPF",
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
]
package.targets.append(
    Context.environment["POSTERN_FUZZ"] == "1"
        ? .executableTarget(name: "postern-fuzz", dependencies: fuzzed, path: "Tests/fuzz/targets", exclude: ["CorpusTests.swift"])
        : .testTarget(name: "FuzzCorpusTests", dependencies: fuzzed, path: "Tests/fuzz/targets"))

/// The tests of one library: they see it, the vocabulary and the test support.
func tests(_ name: String, _ extra: [String] = [], nio: Bool = false, grdb: Bool = false, exclude: [String] = []) -> Target {
    let libraries = Set([name, "PosternTesting", "InternetMessage", "NetworkAddress"] + extra).sorted()
    let products = nio ? ["NIOCore", "NIOPosix", "NIOEmbedded"] : []
    let logging = nio ? [Target.Dependency.product(name: "Logging", package: "swift-log")] : []
    let database = grdb ? [Target.Dependency.product(name: "GRDB", package: "GRDB.swift")] : []
    return .testTarget(
        name: name + "Tests",
        dependencies: libraries.map { .byName(name: $0) } + products.map { .product(name: $0, package: "swift-nio") } + logging + database,
        exclude: exclude)
}
