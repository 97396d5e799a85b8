import ArgumentParser
import Foundation
import InternetMessage
import Pickup
import PosternDaemon
import SMTPCore

/// The program that everybody on a machine may call, with nobody's rights but his own.
enum SendmailProgram {
    static let names: Set<String> = ["sendmail", "mailq", "newaliases"]
    /// `sysexits.h`
    private enum Status {
        static let usage: Int32 = 64, badData: Int32 = 65, unavailable: Int32 = 69, temporary: Int32 = 75, settings: Int32 = 78
    }

    private struct Fatal: Error {
        let status: Int32
        let text: String
    }

    static func main(calledAs name: String, _ words: [String]) async -> Never {
        // Its status says how it went, also to a caller that has gone.
        signal(SIGPIPE, SIG_IGN)
        do {
            try await run(SendmailArguments(calledAs: name, words))
            exit(0)
        } catch let error as SendmailArguments.Failure { fail(name, Status.usage, error.description) } catch let error as Fatal {
            fail(name, error.status, error.text)
        } catch { fail(name, Status.temporary, "\(error)") }
    }

    private static func fail(_ name: String, _ status: Int32, _ text: String) -> Never {
        FileHandle.standardError.write(Data("\(name): fatal: \(text)\n".utf8))
        exit(status)
    }

    private static func run(_ arguments: SendmailArguments) async throws {
        let file = arguments.settingsFile ?? "/etc/postern/postern.toml"
        switch arguments.mode {
        case .listQueue: try await queue { try await QueueCommand.List.mailq(settingsFile: file) }
        case .flushQueue: try await queue { try await QueueCommand.Flush.silently(settingsFile: file) }
        // Tables are read as they are; there is nothing to compile.
        case .newAliases: break
        case .send: try send(arguments, try settings(file))
        case .smtp: speak(try settings(file))
        }
    }

    /// A command on the queue has said already what is wrong.
    private static func queue(_ command: () async throws -> Void) async throws {
        do { try await command() } catch is ExitCode { exit(Status.unavailable) }
    }

    private static func settings(_ file: String) throws -> Settings {
        do { return try SettingsFile.load(file) } catch { throw Fatal(status: Status.settings, text: "\(error)") }
    }

    private static func send(_ arguments: SendmailArguments, _ settings: Settings) throws {
        let user = CallingUser()
        var arguments = arguments
        arguments.fullName = arguments.fullName ?? user.fullName
        if !arguments.takesRecipientsFromHeader, arguments.recipients.isEmpty {
            throw Fatal(status: Status.usage, text: "\(SendmailEnvelope.Failure.noRecipients(isFromHeader: false))")
        }
        var content = LocalContent(ignoresDots: arguments.ignoresDots, limit: settings[Known.messageSizeLimit])
        try readInput { piece in
            content.take(piece)
            return !content.isOver
        }
        content.finish()
        guard !content.isTooLarge else { throw Fatal(status: Status.unavailable, text: "\(user.name)(\(user.id)): message file too big") }
        let (header, _) = MessageHeader.parse(content.bytes[...])
        let envelope: DropEnvelope
        do { envelope = try SendmailEnvelope(origin: settings.origin, userName: user.name).envelope(arguments, header: header) } catch {
            if case .noRecipients = error { throw Fatal(status: Status.usage, text: "\(error)") }
            throw Fatal(status: Status.badData, text: "\(error)")
        }
        do { try DropFolder(path: settings.maildropFolder).put(envelope, content: content.bytes) } catch {
            throw Fatal(status: Status.temporary, text: "\(user.name)(\(user.id)): \(error)")
        }
    }

    private static func speak(_ settings: Settings) {
        let folder = DropFolder(path: settings.maildropFolder)
        var machine = ServerSettings(hostname: settings[Known.myhostname].text)
        machine.messageSizeLimit = settings[Known.messageSizeLimit]
        machine.recipientLimit = settings[Known.recipientLimit]
        var session = StdioSession(settings: machine, origin: .name(settings.origin)) { envelope, content in
            do { try folder.put(envelope, content: content) } catch {
                FileHandle.standardError.write(Data("sendmail: \(error)\n".utf8))
                return SMTPReply(451, "4.3.0", "Error: the message cannot be queued now")
            }
            return SMTPReply(250, "2.0.0", "Ok: queued")
        }
        write(session.start())
        try? readInput { piece in
            write(session.take(piece))
            return !session.isOver
        }
    }

    private static func write(_ bytes: [UInt8]) {
        if !bytes.isEmpty { try? FileHandle.standardOutput.write(contentsOf: Data(bytes)) }
    }

    /// - Parameter take: says whether more is wanted.
    private static func readInput(_ take: (ArraySlice<UInt8>) -> Bool) throws {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Fatal(status: Status.temporary, text: "standard input cannot be read: \(String(cString: strerror(errno)))") }
            guard got > 0, take(buffer[..<got]) else { return }
        }
    }
}

/// Who calls, as the system's user database has it.
private struct CallingUser {
    let id = getuid()
    let name: String
    let fullName: String?

    init() {
        var record = passwd()
        var buffer = [CChar](repeating: 0, count: 16384)
        var found: UnsafeMutablePointer<passwd>?
        guard getpwuid_r(id, &record, &buffer, buffer.count, &found) == 0, found != nil, let login = record.pw_name else {
            (name, fullName) = ("unknown", nil)
            return
        }
        name = String(cString: login)
        // The first of the fields that commas part; `&` is the log-in name (passwd(5)).
        let real = record.pw_gecos.map { String(cString: $0) }?.split(separator: ",", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let whole = real.replacing("&", with: name.prefix(1).uppercased() + name.dropFirst())
        fullName = whole.isEmpty ? nil : whole
    }
}
