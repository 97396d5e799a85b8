#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A temporary file that holds a large body. It is unlinked as soon as it is open, so a crash leaves nothing behind;
/// the descriptor closes with the last reference. Written only while a ``MessageAssembler`` owns it.
///
/// Also a part of a lasting file, as the queue keeps bodies: then only read.
public final class SpoolFile: Sendable {
    /// A system call on the spool failed: which one, and errno.
    public struct Failure: Error, CustomStringConvertible {
        public let call: String
        public let code: Int32
        public var description: String { "spool file: \(call): \(String(cString: strerror(code)))" }
    }

    private let descriptor: Int32
    private let start: Int
    let count: Int

    init(descriptor: Int32, start: Int = 0, count: Int) {
        self.descriptor = descriptor
        self.start = start
        self.count = count
    }

    deinit { close(descriptor) }

    func forEachChunk(_ visit: (UnsafeRawBufferPointer) throws -> Void) throws {
        let size = 65536
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < count {
            let got = pread(descriptor, buffer.baseAddress, min(size, count - offset), off_t(start + offset))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw Failure(call: "pread", code: got == 0 ? EIO : errno) }
            try visit(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            offset += got
        }
    }

    func read(at offset: Int, upTo maximum: Int) throws -> [UInt8] {
        let wanted = max(min(maximum, count - offset), 0)
        guard wanted > 0 else { return [] }
        var out = [UInt8](repeating: 0, count: wanted)
        var filled = 0
        while filled < wanted {
            let got = out.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress.map { $0 + filled }, wanted - filled, off_t(start + offset + filled)) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw Failure(call: "pread", code: got == 0 ? EIO : errno) }
            filled += got
        }
        return out
    }

    /// Opens a nameless file in the folder, readable by nobody else.
    static func open(in folder: String) throws -> Int32 {
        var template = Array((folder + "/postern-spool-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure(call: "mkstemp in \(folder)", code: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    static func append(_ bytes: [UInt8], to descriptor: Int32) throws {
        try bytes.withUnsafeBytes { raw in
            var rest = raw[...]
            while !rest.isEmpty {
                let put = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if put < 0, errno == EINTR { continue }
                guard put > 0 else { throw Failure(call: "write", code: errno) }
                rest = rest.dropFirst(put)
            }
        }
    }
}
