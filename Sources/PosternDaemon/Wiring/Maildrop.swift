import Foundation
import Pickup

/// The folder for mail of this machine's users, and the way to it.
enum Maildrop {
    /// Makes the folder. Where it lies in the data folder, everybody may walk through that one from now on, but read
    /// nothing: so what lies there is closed first. As the user that the server runs as. Blocks.
    static func prepare(_ settings: Settings) throws -> DropFolder {
        let folder = DropFolder(path: settings.maildropFolder)
        do { try folder.prepare() } catch {
            throw Privileges.Failure(description: "maildrop_directory \(folder.path) cannot be prepared: \(error). Make it, owned by the user that postern runs as, or name another one.")
        }
        let data = settings[Known.dataDirectory].path
        if (folder.path as NSString).deletingLastPathComponent == data { openWay(through: data, to: folder.path) }
        return folder
    }

    private static func openWay(through data: String, to folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: data)) ?? [] where data + "/" + name != folder {
            closeToOthers(data + "/" + name)
        }
        guard let mode = mode(of: data), mode & 0o011 != 0o011 else { return }
        chmod(data, mode | 0o011)
    }

    private static func closeToOthers(_ path: String) {
        guard let mode = mode(of: path), mode & 0o007 != 0 else { return }
        chmod(path, mode & 0o770)
    }

    /// nil for what is a link or not ours.
    private static func mode(of path: String) -> mode_t? {
        var facts = stat()
        guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT != S_IFLNK, facts.st_uid == geteuid() else { return nil }
        return facts.st_mode & 0o7777
    }
}
