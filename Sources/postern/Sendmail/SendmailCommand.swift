import ArgumentParser

/// `postern sendmail …`: the words belong to sendmail, not to us.
struct SendmailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sendmail", abstract: "Take a message from standard input, as sendmail(1) does.",
        discussion: """
            For cron, PHP and everything else that calls sendmail: link it to /usr/sbin/sendmail, /usr/bin/mailq and \
            /usr/bin/newaliases, and it is those commands by their names. It works while the server is stopped: the message \
            waits, synced to disk, in maildrop_directory.

            Options, as Postfix has them: -t -i -f ADDR -F NAME -N WHEN -R full|hdrs -V ENVID -B TYPE -bm -bs -bp -q -C FILE; \
            those that old programs add (-o… -v -m -n -G -U -A -L -O -X -e -h -p) say nothing.

            Exit status, as sysexits.h has it: 0 when the message is on disk; 64 wrong arguments or no recipient, 65 a bad \
            address, 69 the message is too large, 75 it cannot be taken now, 78 the settings cannot be read.
            """)

    @Argument(parsing: .captureForPassthrough, help: "What sendmail(1) takes.") var words: [String] = []

    func run() async throws {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest(self) }
        await SendmailProgram.main(calledAs: "sendmail", words)
    }
}
