#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Foundation
import Synchronization

/// Hears from the kernel (inotify(7)) which files come and go in the folders in use, whoever moves them: so that nobody
/// has to read a folder of 200,000 files again for one, and clients that wait hear of it at once.
///
/// One descriptor and one thread for all; a bounded number of folders. Where the kernel says nothing (its limit is
/// reached, or the files are on another machine, whose changes it does not see) folders are looked at as before.
final class FolderWatcher: Sendable {
    /// Folders watched at most: two watches each. The kernel has a limit of its own (fs.inotify.max_user_watches).
    private static let limit = 16_384

    private let descriptor: Int32
    private let table = Mutex<[Int32: Entry]>([:])
    /// Held while events are read, so that they are handed on in their order.
    private let reading = Mutex(())

    private struct Entry: Sendable {
        weak var watch: FolderWatch?
        let isNew: Bool
    }

    /// - Returns: nil where there is no inotify.
    init?() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        let descriptor = descriptor
        Thread { [weak self] in
            Thread.current.name = "mail-watch"
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // A second at most, to notice that nobody needs it any more.
            while let self {
                _ = self.drainAndTell()
                withExtendedLifetime(self) {}
                poll(&waiting, 1, 1000)
            }
            close(descriptor)
        }.start()
    }

    /// Watches a folder's `new` and `cur`.
    /// - Parameter notify: called on the watcher's thread, when something happened there.
    /// - Returns: nil when that is not possible.
    func watch(_ paths: MailboxPaths, notify: @escaping @Sendable () -> Void) -> FolderWatch? {
        guard table.withLock({ $0.count < 2 * Self.limit }), LocalFileSystem.holds(paths.folder) else { return nil }
        let watch = FolderWatch(self, notify)
        // Held so that no event of a new watch is read before its entry is there.
        return reading.withLock { _ in
            for (path, isNew) in [(paths.new, true), (paths.cur, false)] {
                let mask = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_DONT_FOLLOW) | UInt32(IN_EXCL_UNLINK)
                let id = inotify_add_watch(descriptor, path, mask)
                // One number for one folder: a second object for it would take the first one's events away.
                let other = table.withLock { $0[id]?.watch }
                guard id >= 0, other == nil else {
                    remove(watch.ids)
                    return nil
                }
                table.withLock { $0[id] = Entry(watch: watch, isNew: isNew) }
                watch.add(id)
            }
            return watch
        }
    }

    func remove(_ ids: [Int32]) {
        for id in ids {
            table.withLock { _ = $0.removeValue(forKey: id) }
            inotify_rm_watch(descriptor, id)
        }
    }

    /// Hands on what happened so far: afterwards each watch knows of every change that was made before the call.
    func drain() { reading.withLock { _ in _ = read() } }

    private func drainAndTell() -> Int {
        let touched = reading.withLock { _ in read() }
        for watch in touched { watch.tell() }
        return touched.count
    }

    /// - Returns: the folders that something happened in.
    private func read() -> [FolderWatch] {
        var touched: [ObjectIdentifier: FolderWatch] = [:]
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = buffer.withUnsafeMutableBytes { posixRead(descriptor, $0) }
            guard count > 0 else { return Array(touched.values) }
            buffer.withUnsafeBytes { raw in
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = raw.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let start = offset + MemoryLayout<inotify_event>.size
                    let name = raw[start..<min(start + Int(event.len), count)].prefix { $0 != 0 }
                    for watch in take(event, name) { touched[ObjectIdentifier(watch)] = watch }
                    offset = start + Int(event.len)
                }
            }
        }
    }

    private func take(_ event: inotify_event, _ name: Slice<UnsafeRawBufferPointer>) -> [FolderWatch] {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
            let all = table.withLock { $0.values.compactMap(\.watch) }
            for watch in all { watch.lose() }
            return all
        }
        guard let entry = table.withLock({ $0[event.wd] }), let watch = entry.watch else { return [] }
        if event.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0 { watch.end() } else {
            let appeared = event.mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0
            watch.take(FileEvent(isNew: entry.isNew, appeared: appeared, name: Array(name)))
        }
        return [watch]
    }
}

/// Which file systems this machine's kernel sees every change of.
private enum LocalFileSystem {
    /// Those that other machines may write to as well, or programs that the kernel does not see into.
    private static let shared = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "lustre", "gfs2", "ocfs2", "glusterfs", "virtiofs"]

    static func holds(_ path: String) -> Bool {
        var info = stat()
        guard stat(path, &info) == 0, let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return false }
        // As the kernel packs them (makedev(3)).
        let device = UInt64(info.st_dev), major = device >> 8 & 0xfff | device >> 32 & ~0xfff, minor = device & 0xff | device >> 12 & ~0xff
        // `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc(5)). A volume of btrfs has
        // a number of its own that is not in the table; it is local.
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[2] == "\(major):\(minor)", let dash = words.firstIndex(of: "-"), dash + 1 < words.count else { continue }
            return !shared.contains(String(words[dash + 1])) && !words[dash + 1].hasPrefix("fuse")
        }
        return true
    }
}

/// A file came into a folder, or left it.
struct FileEvent: Sendable, Hashable {
    let isNew: Bool
    let appeared: Bool
    /// Its octets.
    let name: [UInt8]
}

/// What happened in one mailbox folder since it was last asked.
final class FolderWatch: Sendable {
    /// Further changes are not kept one by one: the folder is read again.
    private static let limit = 8192

    private let watcher: FolderWatcher
    private let notify: @Sendable () -> Void
    private let state = Mutex(State())

    private struct State: Sendable {
        var ids: [Int32] = []
        var events: [FileEvent] = []
        var isLost = false
        var isOver = false
    }

    fileprivate init(_ watcher: FolderWatcher, _ notify: @escaping @Sendable () -> Void) {
        self.watcher = watcher
        self.notify = notify
    }

    deinit { watcher.remove(ids) }

    /// What happened up to now.
    enum News: Sendable {
        case events([FileEvent])
        /// Some of it was lost: read the folder.
        case unknown
        /// The folder was removed or renamed, and is watched no more.
        case over
    }

    func news() -> News {
        watcher.drain()
        return state.withLock { state in
            if state.isOver { return .over }
            defer {
                state.events = []
                state.isLost = false
            }
            return state.isLost ? .unknown : .events(state.events)
        }
    }

    fileprivate var ids: [Int32] { state.withLock { $0.ids } }
    fileprivate func add(_ id: Int32) { state.withLock { $0.ids.append(id) } }
    fileprivate func tell() { notify() }
    fileprivate func lose() { state.withLock { $0.isLost = true } }
    fileprivate func end() { state.withLock { $0.isOver = true } }

    fileprivate func take(_ event: FileEvent) {
        state.withLock { state in
            if state.events.count < Self.limit { state.events.append(event) } else {
                state.isLost = true
                state.events = []
            }
        }
    }
}

// Inside the watcher the short name means its own method.
private func posixRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int { read(descriptor, buffer.baseAddress, buffer.count) }
