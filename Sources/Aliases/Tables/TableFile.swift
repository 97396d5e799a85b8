import Foundation

/// Reads the files of tables.
public enum TableFile {
    static let sizeLimit = 64 << 20

    /// A file's text. Blocks.
    /// - Throws: ``TableFault`` for a file that is not there, too large, or no UTF-8.
    public static func read(_ path: String) throws(TableFault) -> String {
        // Only regular files: to open a pipe would wait for its writer.
        var status = stat()
        guard stat(path, &status) == 0 else { throw TableFault(file: path, "cannot be read: \(String(cString: strerror(errno)))") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TableFault(file: path, "is not a file") }
        guard status.st_size <= sizeLimit else { throw TableFault(file: path, "is larger than \(sizeLimit >> 20) MiB") }
        guard let data = FileManager.default.contents(atPath: path) else { throw TableFault(file: path, "cannot be read: check its owner and mode") }
        guard let text = String(data: data, encoding: .utf8), !text.utf8.contains(0) else {
            throw TableFault(file: path, "is not text: name the source file, not the .db that postmap or postalias makes of it")
        }
        return text
    }
}

extension IncludeReader {
    /// From the file system.
    public static let files = IncludeReader { path throws(TableFault) in try TableFile.read(path) }
}
