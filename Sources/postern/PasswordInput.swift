import Foundation

/// Reads a password from a terminal without echo, or the first line of standard input.
enum PasswordInput {
    struct Failure: Error, CustomStringConvertible { let description: String }

    static func read(confirm: Bool) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(), !line.isEmpty else { throw Failure(description: "no password on standard input") }
            return line
        }
        let first = try prompt("Password: ")
        guard !first.isEmpty else { throw Failure(description: "the password is empty") }
        if confirm, try prompt("Again: ") != first { throw Failure(description: "the two passwords differ; nothing was changed") }
        return first
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
