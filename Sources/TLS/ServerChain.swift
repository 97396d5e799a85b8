#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A private key and its certificate with the issuers, as PEM text that was read from files: contexts can be made of it
/// again and again, also when the files can no longer be read.
public struct ServerChain: Sendable {
    /// The server's own certificate first.
    let certificates: [String]
    let privateKey: String
    /// For errors.
    let certificatePath: String
    let keyPath: String

    /// From text that is no file's.
    public init(certificatePEM: String, privateKeyPEM: String) {
        certificates = PEMBlock.all(in: certificatePEM).filter(\.isCertificate).map(\.text)
        privateKey = privateKeyPEM
        (certificatePath, keyPath) = ("the certificate", "its key")
    }

    private init(certificates: [String], privateKey: String, certificatePath: String, keyPath: String) {
        self.certificates = certificates
        self.privateKey = privateKey
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }

    /// Reads a pair as certbot leaves it. Blocks.
    /// - Parameters:
    ///   - certificate: PEM file, the server's own certificate first, then its issuers.
    ///   - key: PEM file with the unencrypted key; nobody but its owner and group may read it. May be the same file.
    /// - Throws: ``TLSError/file(path:problem:)``.
    public static func read(certificate: String, key: String) throws(TLSError) -> ServerChain {
        let certificates = PEMBlock.all(in: try PEMFile.text(certificate, isSecret: false)).filter(\.isCertificate).map(\.text)
        guard !certificates.isEmpty else { throw .file(path: certificate, problem: "holds no certificate in PEM form that can be used") }
        let keys = PEMBlock.all(in: try PEMFile.text(key, isSecret: true)).filter(\.isPrivateKey)
        guard let first = keys.first else { throw .file(path: key, problem: "holds no private key in unencrypted PEM form") }
        return ServerChain(certificates: certificates, privateKey: first.text, certificatePath: certificate, keyPath: key)
    }

    /// Reads files as Postfix's `smtpd_tls_chain_files` names them: together a sequence of a key, its certificate and the
    /// issuers, perhaps more than once (an RSA and an ECDSA certificate). A key that comes after its certificates is
    /// understood too. Blocks.
    /// - Throws: ``TLSError/file(path:problem:)``.
    public static func read(chainFiles: [String]) throws(TLSError) -> [ServerChain] {
        var groups: [Group] = []
        for path in chainFiles {
            let text = try PEMFile.text(path, isSecret: false)
            let blocks = PEMBlock.all(in: text)
            if blocks.contains(where: \.isPrivateKey) { try PEMFile.check(path, isSecret: true) }
            for block in blocks where block.isPrivateKey || block.isCertificate {
                if groups.last?.isEnded(by: block) ?? true { groups.append(Group()) }
                groups[groups.count - 1].add(block, path)
            }
        }
        let all = chainFiles.joined(separator: ", ")
        guard !groups.isEmpty else { throw .file(path: all, problem: "holds no certificate in PEM form that can be used") }
        var chains: [ServerChain] = []
        for group in groups { chains.append(try group.chain()) }
        return chains
    }

    /// A key and certificates, while they are collected.
    private struct Group {
        var key: (text: String, path: String)?
        var keyCameLast = false
        var certificates: [(text: String, path: String)] = []

        func isEnded(by block: PEMBlock) -> Bool { block.isPrivateKey ? key != nil : keyCameLast }

        mutating func add(_ block: PEMBlock, _ path: String) {
            if block.isPrivateKey {
                key = (block.text, path)
                keyCameLast = !certificates.isEmpty
            } else {
                certificates.append((block.text, path))
            }
        }

        func chain() throws(TLSError) -> ServerChain {
            guard let first = certificates.first else { throw .file(path: key?.path ?? "", problem: "holds a private key, and no certificate follows it") }
            guard let key else { throw .file(path: first.path, problem: "holds a certificate, and no private key comes with it: name the key's file before it") }
            return ServerChain(certificates: certificates.map(\.text), privateKey: key.text, certificatePath: first.path, keyPath: key.path)
        }
    }
}

/// Checks on a file before OpenSSL sees it, whose own errors do not tell a missing file from an unreadable one.
enum PEMFile {
    /// Octets at the most; a chain has a few thousand.
    static let sizeLimit = 1 << 20

    static func check(_ path: String, isSecret: Bool) throws(TLSError) { close(try opened(path, isSecret: isSecret)) }

    static func text(_ path: String, isSecret: Bool) throws(TLSError) -> String {
        let descriptor = try opened(path, isSecret: isSecret)
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path: path, problem: problem(errno)) }
            if count == 0 { break }
            octets += chunk[..<count]
            guard octets.count <= sizeLimit else { throw .file(path: path, problem: "is larger than \(sizeLimit) octets: it is no PEM file of ours") }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    private static func opened(_ path: String, isSecret: Bool) throws(TLSError) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(path: path, problem: problem(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .file(path: path, problem: problem(code))
        }
        var fault: String?
        if status.st_mode & S_IFMT != S_IFREG { fault = "is not a file" }
        if isSecret, status.st_mode & 0o007 != 0 {
            fault = fault ?? "the private key can be read by every user of this machine; run: chmod o-rwx \(path)"
        }
        if let fault {
            close(descriptor)
            throw .file(path: path, problem: fault)
        }
        return descriptor
    }

    private static func problem(_ code: Int32) -> String {
        switch code {
        case ENOENT: "there is no such file"
        case EACCES: "this user may not read it (or enter a folder on the way)"
        default: String(cString: strerror(code))
        }
    }
}
