// swift-tools-version: 6.0
import PackageDescription

// The C libraries are Debian's -dev packages (libmilter-dev, libopendkim-dev, libssl-dev, libunbound-dev,
// libcrypt-dev). Each has a plain C target that holds the shims for what Swift cannot call: macros, variadics,
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
        .target(name: "COpenDKIM", linkerSettings: [.linkedLibrary("opendkim")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CUnbound", linkerSettings: [.linkedLibrary("unbound")]),
        .target(name: "CCrypt", linkerSettings: [.linkedLibrary("crypt")]),

        // Vocabulary: no socket, no file
        .target(name: "NetworkAddress"),
        .target(name: "BlockingPool"),
        .target(name: "InternetMessage", dependencies: ["NetworkAddress"]),
        .target(name: "DNS", dependencies: ["NetworkAddress"]),
        .target(name: "Milter", dependencies: ["InternetMessage", "NetworkAddress"]),
        .target(name: "SASL", dependencies: ["COpenSSL", "InternetMessage"]),
        .target(name: "SMTPCore", dependencies: ["SASL", "InternetMessage", "NetworkAddress"]),
        .target(name: "IMAPCore", dependencies: ["InternetMessage"]),

        // Message authentication and policy
        .target(name: "SPF", dependencies: ["DNS", "InternetMessage", "NetworkAddress"]),
        .target(name: "DKIM", dependencies: ["DNS", "InternetMessage", "COpenDKIM", "COpenSSL"]),
        .target(name: "DKIMKeys", dependencies: ["BlockingPool", "DKIM", "DNS", "NetworkAddress"]),
        .target(name: "DMARC", dependencies: ["DNS", "InternetMessage", "NetworkAddress"]),
        .target(name: "DMARCRecords", dependencies: ["DMARC", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "Tags", dependencies: ["COpenSSL", "InternetMessage", "NetworkAddress", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "Policy", dependencies: ["InternetMessage", "NetworkAddress"]),
        .target(
            name: "MailFilters",
            dependencies: ["BlockingPool", "Milter", "SPF", "DKIM", "DMARC", "Tags", "Policy", "DNS", "InternetMessage", "NetworkAddress",
                           .product(name: "Logging", package: "swift-log")]),

        // What the diagnosing commands print, made of results; asks nobody and reads nothing.
        .target(
            name: "Diagnostics",
            dependencies: ["SPF", "DKIM", "DMARC", "DNS", "MailFilters", "Milter", "Policy", "Tags", "InternetMessage", "NetworkAddress"]),

        // Ground: resolver, TLS, accounts, store, queue
        .target(name: "UnboundResolver", dependencies: ["DNS", "NetworkAddress", "CUnbound"]),
        .target(
            name: "TLS",
            dependencies: ["COpenSSL", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOConcurrencyHelpers", package: "swift-nio")]),
        .target(
            name: "Accounts",
            dependencies: ["BlockingPool", "CCrypt", "COpenSSL", "SASL", "InternetMessage", "NetworkAddress", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "MailStore", dependencies: ["BlockingPool", "InternetMessage"]),
        .target(name: "MailQueue", dependencies: ["BlockingPool", "InternetMessage"]),

        .target(name: "PostfixDoctor"),

        // Servers and clients: thin shells over the cores
        .target(
            name: "DovecotAuth",
            dependencies: ["Accounts", "LocalSocket", "SASL", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(name: "LocalSocket", dependencies: [.product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio")]),
        .target(
            name: "SMTPServer",
            dependencies: ["BlockingPool", "LocalSocket", "SASL", "SMTPCore", "Milter", "Accounts", "TLS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "SMTPClient",
            dependencies: ["SMTPCore", "TLS", "DNS", "InternetMessage", "NetworkAddress",
                           .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                           .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "IMAPServer",
            dependencies: ["BlockingPool", "IMAPCore", "MailStore", "Accounts", "TLS", "InternetMessage", "NetworkAddress",
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
            dependencies: ["BlockingPool", "LocalSocket", "SMTPServer", "DovecotAuth", "MilterServer", "MilterClient", "IMAPServer", "Delivery", "DMARCRecords", "MailFilters", "UnboundResolver", "Accounts",
                           "DKIM", "DKIMKeys", "TLS", "MailStore", "MailQueue", "DNS", "Policy", "TOMLKit",
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
        .executableTarget(
            name: "postern",
            dependencies: ["PosternDaemon", "PostfixDoctor", "PosternDemo", "Accounts", "BlockingPool", "DKIM", "DKIMKeys", "DNS", "InternetMessage", "NetworkAddress",
                           "SPF", "DMARC", "Diagnostics", "UnboundResolver", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

        // Tests
        .target(name: "PosternTesting", dependencies: ["DNS", "NetworkAddress"], path: "Tests/PosternTesting"),
        // libmilter serves once in a process, so its tests speak to this one (Tests/interop).
        .executableTarget(
            name: "milter-fixture",
            dependencies: ["BlockingPool", "Milter", "MilterServer", "InternetMessage", "NetworkAddress", .product(name: "Logging", package: "swift-log")],
            path: "Tests/milter-fixture"),
    ] + [
        tests("NetworkAddress"), tests("BlockingPool"), tests("InternetMessage"), tests("DNS"),
        tests("Milter"), tests("MilterServer", ["CMilter", "Milter"]), tests("SMTPCore", ["SASL"]), tests("IMAPCore"),
        tests("SPF", ["DNS"], exclude: ["Resources"]), tests("DKIM", ["DNS"]), tests("DKIMKeys", ["DKIM", "DNS", "BlockingPool"]), tests("DMARC", ["DNS"]), tests("Tags"), tests("Policy"),
        tests("MailFilters", ["Milter", "DNS", "DKIM", "DMARC", "Policy", "SPF", "Tags"], nio: true), tests("DMARCRecords", ["DMARC", "DNS"]), tests("Diagnostics", ["SPF", "DMARC", "DNS"]), tests("UnboundResolver", ["DNS"]), tests("SASL"), tests("PostfixDoctor"), tests("Accounts", ["BlockingPool", "SASL"], grdb: true), tests("DovecotAuth", ["Accounts", "SASL", "LocalSocket"], nio: true), tests("MailStore"), tests("MailQueue"),
        tests("LocalSocket", nio: true), tests("TLS", nio: true), tests("SMTPServer", ["SMTPCore", "LocalSocket", "Accounts", "Milter", "TLS", "BlockingPool"], nio: true),
        tests("SMTPClient", ["DNS", "TLS", "SMTPCore"], nio: true),
        tests("IMAPServer", ["IMAPCore", "MailStore", "Accounts", "TLS", "BlockingPool"], nio: true),
        tests("Delivery", ["MailQueue", "MailStore", "SMTPClient", "SMTPCore", "DNS", "BlockingPool"], nio: true), tests("MilterClient", ["Milter"], nio: true), 
        tests("PosternDaemon", ["Accounts", "BlockingPool", "Milter", "MilterServer", "SMTPServer", "MailQueue"], nio: true),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

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
