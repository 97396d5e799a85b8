import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension DropFolder {
    /// Puts a message into the folder. When it returns the file is whole and synced, and whoever serves the folder will
    /// find it, be it after the next start. Blocks.
    /// - Parameter content: the message with CRLF line ends.
    /// - Throws: ``DropError``; then nothing is left behind.
    public func put(_ envelope: DropEnvelope, content: [UInt8]) throws(DropError) {
        guard var head = try? JSONEncoder().encode(DropHead(envelope, size: content.count)), head.count < DropHead.limit else { throw .damaged("the envelope is too long") }
        head.append(10)
        let file = path + "/" + Self.freshName()
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, Self.unfinished)
        guard descriptor >= 0 else { throw .system(call: "cannot write into \(path)", code: errno) }
        defer { close(descriptor) }
        do throws(DropError) {
            try Self.write(Array(head), to: descriptor)
            try Self.write(content, to: descriptor)
            // The mode says that it is whole, so it changes when the octets are on the disk, and is then synced itself.
            try Self.check(fsync(descriptor), "fsync")
            try Self.checkName(descriptor)
            try Self.check(fchmod(descriptor, Self.ready), "fchmod")
            try Self.check(fsync(descriptor), "fsync")
        } catch {
            unlink(file)
            throw error
        }
        syncFolder()
    }

    /// Who may not read the folder cannot sync it either; Linux's file systems write a new file's name with its fsync.
    private func syncFolder() {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// The server clears away what looks abandoned, as does a file that is being written while the clock jumps.
    private static func checkName(_ descriptor: Int32) throws(DropError) {
        var facts = stat()
        try check(fstat(descriptor, &facts), "fstat")
        guard facts.st_nlink > 0 else { throw .system(call: "link", code: ENOENT) }
    }

    private static func check(_ result: Int32, _ call: String) throws(DropError) {
        guard result == 0 else { throw .system(call: call, code: errno) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(DropError) {
        var offset = 0
        while offset < bytes.count {
            let put = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset) }
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw .system(call: "write", code: put == 0 ? EIO : errno) }
            offset += put
        }
    }
}
