import Foundation
import TLS

/// Which files the settings name for TLS, and which of them are there.
struct CertificatePlan: Sendable, Hashable {
    /// Files of one certificate.
    enum Files: Sendable, Hashable {
        /// As certbot has them: the chain, and the key.
        case pair(certificate: String, key: String)
        /// As Postfix's `smtpd_tls_chain_files`.
        case chain([String])

        var paths: [String] {
            switch self {
            case .pair(let certificate, let key): certificate == key ? [certificate] : [certificate, key]
            case .chain(let paths): paths
            }
        }

        /// - Throws: ``TLSError``.
        func read() throws(TLSError) -> [ServerChain] {
            switch self {
            case .pair(let certificate, let key): [try ServerChain.read(certificate: certificate, key: key)]
            case .chain(let paths): try ServerChain.read(chainFiles: paths)
            }
        }
    }

    /// nil: none but a certificate that vouches for itself.
    let main: Files?
    /// By name, or `.domain`; sorted.
    let named: [Named]
    /// Names for a certificate of our own making, used while there is no other; empty: without a certificate there is no TLS.
    let standIn: [String]

    struct Named: Sendable, Hashable {
        let name: String
        let files: Files
    }

    init(_ settings: Settings) {
        let certificate = settings[Known.certFile].path, key = settings[Known.keyFile].path
        let named = certificate.isEmpty && key.isEmpty ? nil : Files.pair(certificate: certificate, key: key.isEmpty ? certificate : key)
        let issued = ACMEStore(settings).certificatePath
        obtained = settings[Known.acme] ? issued : nil
        // The authority's, once there is one.
        main = settings[Known.acme] && access(issued, F_OK) == 0 ? .chain([issued]) : named
        self.named = settings[Known.tlsServerSNIMaps].entries.sorted { $0.key < $1.key }.map { Named(name: $0.key, files: .chain($0.value.files)) }
        standIn = settings[Known.acme] ? settings.acmeOrder.names : []
    }

    /// Where a certificate is going to be, though there may be none yet.
    let obtained: String?

    /// What to look at for changes.
    var watched: [String] { all.flatMap(\.paths) + (obtained.map { [$0] } ?? []) }

    var all: [Files] { (main.map { [$0] } ?? []) + named.map(\.files) }
}

/// A file as `stat` sees it through its symbolic links: certbot's `live/` names stay and point elsewhere after a renewal.
struct FileStamp: Sendable, Hashable {
    let path: String
    private let facts: [Int]
    /// errno of what went wrong; 0 when nothing did.
    let problem: Int32

    /// Blocks.
    init(_ path: String) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else {
            (facts, problem) = ([], errno)
            return
        }
        facts = [Int(status.st_dev), Int(bitPattern: UInt(status.st_ino)), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                 status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
        problem = access(path, R_OK) == 0 ? 0 : errno
    }
}
