#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An open file that closes itself; system calls retried on EINTR and turned into ``QueueError``. All of it blocks.
struct QueueDescriptor: ~Copyable {
    private let number: Int32
    private let path: String

    init(_ path: String, _ flags: Int32) throws(QueueError) {
        number = open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .errno("open", path) }
        self.path = path
    }

    deinit { close(number) }

    func size() throws(QueueError) -> Int {
        var facts = stat()
        guard fstat(number, &facts) == 0 else { throw .errno("fstat", path) }
        return Int(facts.st_size)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(QueueError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            #if canImport(Glibc)
            let put = Glibc.write(number, piece.baseAddress, piece.count)
            #else
            let put = Musl.write(number, piece.baseAddress, piece.count)
            #endif
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw .errno("write", path) }
            rest = rest.dropFirst(put)
        }
    }

    func write(_ bytes: [UInt8]) throws(QueueError) {
        var failure: QueueError?
        bytes.withUnsafeBytes { raw in
            do throws(QueueError) { try write(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Up to `count` octets from `offset`; fewer at the end of the file.
    func read(at offset: Int, count: Int) throws(QueueError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = out.withUnsafeMutableBytes { buffer in
                pread(number, buffer.baseAddress.map { $0 + have }, count - have, off_t(offset + have))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .errno("pread", path) }
            if got == 0 { break }
            have += got
        }
        out.removeLast(count - have)
        return out
    }

    func truncate(to length: Int) throws(QueueError) {
        guard ftruncate(number, off_t(length)) == 0 else { throw .errno("ftruncate", path) }
    }

    func sync() throws(QueueError) {
        guard fdatasync(number) == 0 else { throw .errno("fdatasync", path) }
    }
}

extension QueueFolders {
    /// Octets an unprivileged process may still write.
    func freeBytes() throws(QueueError) -> Int {
        var facts = statvfs()
        guard statvfs(root, &facts) == 0 else { throw .errno("statvfs", root) }
        return Int(clamping: UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize)).partialValue)
    }
}
