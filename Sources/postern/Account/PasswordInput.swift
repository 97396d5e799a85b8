import ArgumentParser
import Foundation

/// Where a new password comes from: a file, the terminal, or standard input; never the command line, which every user of
/// the machine can read.
struct PasswordOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Take the first line of this file as the password.", valueName: "file"))
    var passwordFile: String?

    func read() throws -> String {
        if let passwordFile { return try PasswordInput.file(passwordFile) }
        return try PasswordInput.read(confirm: true)
    }
}

/// Reads a password from a terminal without echo, or the first line of standard input or of a file.
enum PasswordInput {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// No password is longer, and a wrong file should not be read whole.
    private static let lineLimit = 4096

    static func read(confirm: Bool) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try firstLine(STDIN_FILENO, "standard input") }
        let first = try prompt("Password: ")
        guard !first.isEmpty else { throw Failure(description: "the password is empty") }
        if confirm, try prompt("Again: ") != first { throw Failure(description: "the two passwords differ; nothing was changed") }
        return first
    }

    static func file(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "the password file \(path) cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        return try firstLine(descriptor, path)
    }

    /// Octet by octet: what follows the line belongs to whoever reads next.
    private static func firstLine(_ descriptor: Int32, _ place: String) throws -> String {
        var line: [UInt8] = []
        var octet: UInt8 = 0
        while Foundation.read(descriptor, &octet, 1) == 1, octet != 10 {
            line.append(octet)
            guard line.count <= lineLimit else { throw Failure(description: "\(place): the first line is too long for a password") }
        }
        if line.last == 13 { line.removeLast() }
        guard !line.isEmpty else { throw Failure(description: "no password on \(place): it is the first line") }
        guard let text = String(validating: line, as: UTF8.self) else { throw Failure(description: "the password on \(place) is not UTF-8 text") }
        return text
    }

    private static func prompt(_ text: String) throws -> String {
        var saved = termios()
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else { throw Failure(description: "the terminal cannot be silenced") }
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        FileHandle.standardError.write(Data(text.utf8))
        guard let line = readLine() else { throw Failure(description: "no password was given") }
        return line
    }
}
