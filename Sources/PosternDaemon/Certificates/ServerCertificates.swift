import Foundation
import TLS

/// The certificates in force: a context for each, the one that others are chosen from, and what was read for them.
struct ServerCertificates: Sendable {
    /// nil: no TLS.
    let context: TLSContext?
    /// The default first, then those chosen by name.
    let served: [Served]
    /// What could not be read again and so stays as it was: for the log.
    let remarks: [String]
    private let table: ServerNameTable
    private let loaded: [CertificatePlan.Files: Loaded]

    struct Served: Sendable {
        /// nil: the default.
        let name: String?
        /// Empty: made by us.
        let paths: [String]
        let facts: CertificateFacts
    }

    /// What was read: kept, since root may have read it and we are no longer root.
    private struct Loaded: Sendable {
        let chains: [ServerChain]
        let stamps: [FileStamp]
    }

    /// Reads what the plan names. Blocks.
    /// - Parameter previous: what it read is used again where the files are the same, and where they can no longer be read.
    /// - Throws: ``TLSError``.
    init(_ plan: CertificatePlan, previous: ServerCertificates? = nil) throws(TLSError) {
        var loaded: [CertificatePlan.Files: Loaded] = [:], remarks: [String] = []
        for files in Set(plan.all) {
            let (one, remark) = try Self.load(files, previous?.loaded[files])
            loaded[files] = one
            if let remark { remarks.append(remark) }
        }
        var served: [Served] = [], entries: [(name: String, context: TLSContext)] = []
        for named in plan.named {
            let own = try TLSContext.server(loaded[named.files]?.chains ?? [])
            entries.append((named.name, own))
            if let facts = own.certificate { served.append(Served(name: named.name, paths: named.files.paths, facts: facts)) }
        }
        let table = ServerNameTable(entries)
        let chains = if let main = plan.main { loaded[main]?.chains ?? [] } else { try Self.standIn(plan.standIn) }
        if chains.isEmpty {
            context = nil
        } else {
            let main = try TLSContext.server(chains, chooser: { table.context(for: $0) })
            if let facts = main.certificate { served.insert(Served(name: nil, paths: plan.main?.paths ?? [], facts: facts), at: 0) }
            context = main
        }
        self.table = table
        (self.served, self.remarks, self.loaded) = (served, remarks.sorted(), loaded)
    }

    /// Who serves the name, the default included.
    func chosen(_ name: String) -> TLSContext? { table.context(for: name) ?? context }

    private static func load(_ files: CertificatePlan.Files, _ before: Loaded?) throws(TLSError) -> (Loaded, String?) {
        let stamps = files.paths.map { FileStamp($0) }
        if let before, before.stamps == stamps { return (before, nil) }
        // certbot's folders are root's alone: what root read at the start is still ours.
        if let before, let closed = stamps.first(where: { $0.problem == EACCES }) {
            return (before, "\(closed.path): this user may not read it (or enter a folder on the way), so the certificate from the last start stays in use")
        }
        return (Loaded(chains: try files.read(), stamps: stamps), nil)
    }

    private static func standIn(_ names: [String]) throws(TLSError) -> [ServerChain] {
        guard !names.isEmpty else { return [] }
        let pair = try SelfSignedCertificate.generate(names: names, days: 90)
        return [ServerChain(certificatePEM: pair.certificatePEM, privateKeyPEM: pair.privateKeyPEM)]
    }
}
