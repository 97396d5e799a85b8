import ArgumentParser
import Dispatch

/// Runs the command beside the main thread, which waits.
///
/// An asynchronous `main` ends the main thread on Linux and leaves it behind dead: it could not give up root with the
/// others, and `ps` and `/proc/PID`, which speak of the main thread, would show the gateway as root's for ever.
@main
enum Main {
    static func main() {
        let ended = DispatchSemaphore(value: 0)
        Task.detached {
            await Postern.main()
            ended.signal()
        }
        ended.wait()
    }
}

struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A mail gateway: a milter for your Postfix, or the whole mail server.",
        subcommands: [Serve.self, Demo.self, Check.self, Config.self, AccountCommand.self, SPFCommand.self, DMARCCommand.self, VerifyCommand.self, DKIMCommand.self, DoctorCommand.self])
}
