import ArgumentParser
import DKIM
import Foundation
import InternetMessage
import NetworkAddress

extension DKIMCommand {
    struct Sign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign one message, as the gateway does, and print it.",
            discussion: "Reads the file, or standard input. Line ends are kept: a file with LF only is signed as it is sent, with CRLF.")
        @Option(help: "The signing domain, d=.") var domain: String
        @Option(help: "The private key: PEM, mode 0600.") var key: String
        @Option(help: "The selector, s=.") var selector: String
        @Argument(help: "Default: standard input.") var file: String?

        func run() async throws {
            await Exit.withMessage {
                let key = try SigningKey(pemFile: key, domain: try DKIMCommand.domain(domain), selector: selector)
                let bytes = try MessageInput.read(file)
                let message = Message(parsing: bytes)
                var out: [UInt8] = []
                for field in try DKIMSigner().sign(message, with: [key], at: Date()) { out += field.bytes + [13, 10] }
                // The message itself goes through untouched; only the new field takes its line ends.
                if MessageInput.hasUnixLineEnds(bytes) { out.removeAll { $0 == 13 } }
                FileHandle.standardOutput.write(Data(out + bytes))
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify the DKIM signatures of one message, a line for each: verdict, d=, s=, a=, b=, reason.",
            discussion: """
                Verdicts are those of RFC 8601 §2.7.1: pass, fail, neutral, policy, temperror, permerror; none for a message without.

                Exit status: 0 a signature passes; 1 could not run; 3 none passes; 4 none passes, but a key could not be fetched now.
                """)
        @OptionGroup var resolver: DNSOptions
        @Flag(help: "Print JSON: an array of results.") var json = false
        @Argument(help: "Default: standard input.") var file: String?

        func run() async throws {
            var status: Int32 = 0
            await Exit.withMessage {
                let resolver = try resolver.make()
                defer { resolver.close() }
                let results = try await DKIMVerifier(resolver: resolver).verify(Message(parsing: try MessageInput.read(file)))
                try VerifyPrinter.print(results, json: json)
                status = results.contains { $0.verdict == .pass } ? 0 : results.contains { $0.verdict == .temperror } ? 4 : 3
            }
            if status != 0 { throw ExitCode(status) }
        }
    }
}

enum MessageInput {
    static let sizeLimit = 1 << 28

    /// A file's octets, or standard input's.
    static func read(_ path: String?) throws -> [UInt8] {
        guard let path, path != "-" else { return try bounded(Array(FileHandle.standardInput.readDataToEndOfFile()), "standard input") }
        guard let data = FileManager.default.contents(atPath: path) else { throw CommandFailure("\(path) cannot be read") }
        return try bounded(Array(data), path)
    }

    static func hasUnixLineEnds(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.firstIndex(of: 10) else { return false }
        return first == 0 || bytes[first - 1] != 13
    }

    private static func bounded(_ bytes: [UInt8], _ name: String) throws -> [UInt8] {
        guard bytes.count <= sizeLimit else { throw CommandFailure("\(name) is larger than 256 MiB") }
        return bytes
    }
}

enum VerifyPrinter {
    /// The shape of the JSON.
    private struct Row: Encodable {
        let verdict, reason: String
        let domain, selector, algorithm, identity, signaturePrefix: String?
        let testing, coversWholeBody, signsFrom, countsForDMARC: Bool
        let keyBits: Int?
        let keyRecord: String?
        let signedAt, expiresAt: Int?

        init(_ result: DKIMSignatureResult) {
            (verdict, reason) = (result.verdict.rawValue, result.reason)
            (domain, selector, algorithm, identity) = (result.domain?.text, result.selector, result.algorithm, result.identity)
            signaturePrefix = result.signaturePrefix
            (testing, coversWholeBody, signsFrom, countsForDMARC) = (result.isTesting, result.coversWholeBody, result.signsFrom, result.countsForDMARC)
            (keyBits, keyRecord, signedAt, expiresAt) = (result.keyBits, result.keyRecord, result.signedAt, result.expiresAt)
        }
    }

    static func print(_ results: [DKIMSignatureResult], json: Bool) throws {
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Swift.print(String(decoding: try encoder.encode(results.map(Row.init)), as: UTF8.self))
        }
        if results.isEmpty { Swift.print("none  the message has no DKIM-Signature") }
        for result in results {
            let tags = [("d", result.domain?.text), ("s", result.selector), ("a", result.algorithm), ("b", result.signaturePrefix)]
            let shown = tags.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: " ")
            Swift.print("\(result.verdict.rawValue)  \(shown)  \(result.reason)")
        }
    }
}
