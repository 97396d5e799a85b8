import ACME
import Foundation
import StateFiles
import TLS

/// What an installation keeps of its authority, in the data folder's `acme`: account keys, the certificate with its key,
/// and how the last attempt went. All of it is readable by its owner alone.
public struct ACMEStore: Sendable {
    let folder: String

    public init(_ settings: Settings) { folder = settings[Known.dataDirectory].path + "/acme" }

    /// Key, certificate and issuers in one file, replaced in one step.
    var certificatePath: String { folder + "/certificate.pem" }
    private var statePath: String { folder + "/state.json" }

    /// How attempts went.
    public struct State: Sendable, Codable, Equatable {
        /// Of the certificate that is there; an order for others is a new one.
        public var directory = ""
        public var names: [String] = []
        /// Seconds since 1970; 0: never.
        public var lastAttempt: Int64 = 0
        /// Failures in a row.
        public var failures = 0
        public var lastError = ""
        /// Not before then, after failures.
        public var notBefore: Int64 = 0

        public init() {}
    }

    /// The account's key for a directory, made when there is none. Blocks.
    /// - Throws: ``StateFileError``, ``ACMEKeyError``.
    func accountKey(_ directory: String) throws -> AccountKey {
        try prepare()
        let name = directory.utf8.map { (48...57).contains($0) || (97...122).contains($0) || $0 == 46 ? Character(UnicodeScalar($0)) : "-" }
        let path = folder + "/account-\(String(name.suffix(150))).pem"
        if try SecretFile.read(path) == nil { try SecretFile.create(path, Array(try AccountKey().pem().utf8)) }
        // What lies there: another process may have been faster.
        guard let octets = try SecretFile.read(path) else { throw StateFileError(path: path, reason: "the account's key is gone") }
        return try AccountKey(pem: String(decoding: octets, as: UTF8.self))
    }

    /// Blocks.
    func state() -> State {
        guard let data = FileManager.default.contents(atPath: statePath), let state = try? JSONDecoder().decode(State.self, from: data) else { return State() }
        return state
    }

    /// Blocks.
    func save(_ state: State) throws {
        try prepare()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try DurableFile.replace(statePath, Array(try encoder.encode(state)))
    }

    /// Checks that the chain can serve, and only then puts it in place. Blocks.
    func install(_ chainFile: String, _ order: ACMESession.Order) throws -> CertificateFacts {
        let draft = folder + "/certificate.new.pem"
        try prepare()
        try DurableFile.replace(draft, Array(chainFile.utf8))
        defer { unlink(draft) }
        let context = try TLSContext.server(ServerChain.read(chainFiles: [draft]))
        guard let facts = context.certificate else { throw ACMEFailure(.protocol, "the certificate cannot be read") }
        let missing = order.names.filter { !facts.names.contains($0) }
        guard missing.isEmpty else { throw ACMEFailure(.protocol, "the certificate is not for \(missing.joined(separator: ", "))") }
        try DurableFile.replace(certificatePath, Array(chainFile.utf8))
        return facts
    }

    /// The certificate that is there. Blocks.
    func certificate() -> CertificateFacts? {
        guard let data = FileManager.default.contents(atPath: certificatePath) else { return nil }
        return CertificateFacts(pem: String(decoding: data, as: UTF8.self))
    }

    private func prepare() throws(StateFileError) {
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw StateFileError(path: folder, reason: String(cString: strerror(errno))) }
    }
}
