import Foundation

/// The system user that the server runs as.
struct UserStep: SetupStep {
    let user: String
    let home: String
    var item: String { "user" }

    func look() throws -> SetupState {
        if Ownership.exists(user) { return .kept(user) }
        guard geteuid() == 0 else { throw SetupFailure("only root can make the user \(user): run this as root, or with --user \"\" for a server that runs as you") }
        guard program != nil else { throw SetupFailure("there is neither useradd nor adduser to make the user \(user) with; make it by hand") }
        return .missing("\(user), a system user without a shell")
    }

    /// With its own arguments, no shell between.
    private var program: (path: String, arguments: [String])? {
        let all = [
            ("/usr/sbin/useradd", ["--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", "/usr/sbin/nologin", user]),
            ("/usr/sbin/adduser", ["--system", "--group", "--no-create-home", "--home", home, user]),
        ]
        return all.first { access($0.0, X_OK) == 0 }
    }

    func perform() throws -> [String] {
        guard let (path, arguments) = program else { return [] }
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        (process.standardOutput, process.standardError) = (output, output)
        do { try process.run() } catch { throw SetupFailure("\(path) cannot be started: \(error)") }
        let said = String(decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, Ownership.exists(user) else {
            throw SetupFailure("\(path) ended with \(process.terminationStatus): \(said.trimmingCharacters(in: .whitespacesAndNewlines).prefix(500))")
        }
        return []
    }
}
