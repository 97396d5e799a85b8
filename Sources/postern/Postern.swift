import ArgumentParser
import Dispatch
import PosternDaemon

/// Runs the command beside the main thread, which waits.
///
/// An asynchronous `main` ends the main thread on Linux and leaves it behind dead: it could not give up root with the
/// others, and `ps` and `/proc/PID`, which speak of the main thread, would show the gateway as root's for ever.
@main
enum Main {
    static func main() {
        let ended = DispatchSemaphore(value: 0)
        Task.detached {
            await run()
            ended.signal()
        }
        ended.wait()
    }

    /// A link named `sendmail`, `mailq` or `newaliases` is that command.
    private static func run() async {
        var words = CommandLine.arguments
        let name = words.isEmpty ? "" : String(words.removeFirst().split(separator: "/").last ?? "")
        if SendmailProgram.names.contains(name) { await SendmailProgram.main(calledAs: name, words) }
        await Postern.main()
    }
}

struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A mail gateway: a milter for your Postfix, or the whole mail server.",
        version: Version.text,
        subcommands: [
            SetupCommand.self, Serve.self, Demo.self, Check.self, Config.self, AccountCommand.self,
            PolicyCommand.self, ExplainCommand.self, TagCommand.self, LeaksCommand.self,
            SPFCommand.self, DMARCCommand.self, VerifyCommand.self, DKIMCommand.self, TLSReportCommand.self, DNSCommand.self, DoctorCommand.self,
            SendmailCommand.self,
            QueueCommand.self,
            ACMECommand.self, StatusCommand.self,
            StoreCommand.self,
            ImportCommand.self,
        ])
}
