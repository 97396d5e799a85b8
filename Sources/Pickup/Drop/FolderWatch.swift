import Dispatch
import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Says when a file in a folder has become whole (inotify(7)). A hint: who needs certainty looks now and then too.
///
/// Unchecked: a Dispatch source may be used from any thread, and this one is only ever cancelled.
final class FolderWatch: @unchecked Sendable {
    private let source: any DispatchSourceRead

    /// - Parameter changed: called on a queue of its own; several changes may be one call.
    /// - Returns: nil when the system has no watches left.
    init?(path: String, changed: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        // A file is whole when its mode changes.
        guard inotify_add_watch(descriptor, path, UInt32(IN_ATTRIB | IN_MOVED_TO)) >= 0 else {
            close(descriptor)
            return nil
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "postern.maildrop", qos: .utility))
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 16384)
            while buffer.withUnsafeMutableBytes({ read(descriptor, $0.baseAddress, $0.count) }) > 0 {}
            changed()
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
        self.source = source
    }

    func cancel() { source.cancel() }
}
