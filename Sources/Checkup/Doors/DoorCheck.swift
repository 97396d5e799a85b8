import BlockingPool
import Foundation
import InternetMessage
import NetworkAddress

/// A way for mail into this machine.
public struct Door: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case smtp, submission, submissions, lmtp, milter, sendmail, imap, imaps
    }
    public enum Place: Sendable, Hashable {
        case inet(IPAddress, UInt16)
        case unix(String)
        /// A command that takes the message on its standard input.
        case program([String])
    }
    public let kind: Kind
    public let place: Place

    public init(_ kind: Kind, _ place: Place) {
        self.kind = kind
        self.place = place
    }
}

/// Sends a message through every door to an account made for this alone, and looks for each in its mailbox.
public struct DoorCheck: Sendable {
    /// The account; its password lives in memory alone.
    public struct Account: Sendable {
        public let address: EmailAddress
        public let password: String
        /// Where its mail is stored, as files below.
        public let mailbox: String

        public init(address: EmailAddress, password: String, mailbox: String) {
            self.address = address
            self.password = password
            self.mailbox = mailbox
        }
    }

    private let doors: [Door]
    private let account: Account
    private let pool: BlockingPool
    /// For one conversation, and for a message to reach the mailbox.
    private let patience: Duration

    public init(_ doors: [Door], account: Account, pool: BlockingPool, patience: Duration = .seconds(15)) {
        self.doors = doors
        self.account = account
        self.pool = pool
        self.patience = patience
    }

    public func tasks() -> [CheckTask] {
        doors.map { door in CheckTask("a message through \(door.kind.rawValue)", .receiving) { [await run(door)] } }
    }

    private func run(_ door: Door) async -> CheckFinding {
        let isUsers = door.kind == .submission || door.kind == .submissions
        let message = TrialMessage(door: door.kind.rawValue, recipient: account.address, author: isUsers ? account.address : nil)
        let words = "\(door.kind.rawValue) (\(Self.text(door.place)))"
        do {
            let (account, patience) = (account, patience)
            let verdict = try await pool.run { try Self.hand(message, to: door, account, within: patience) }
            switch door.kind {
            case .imap, .imaps: return finding(door, .ok, "\(words) lets a user in and shows the mailbox")
            case .milter: return judge(verdict, door, words)
            default: return await stored(message) ? finding(door, .ok, "a message through \(words) is in the mailbox")
                : finding(door, .wrong, "a message was taken by \(words) and is not in the mailbox after \(patience)", "see what became of it: postern explain \(account.address), and postern queue list")
            }
        } catch { return finding(door, .wrong, "\(words): \(error)", "look at the server's log for what it says at this time") }
    }

    private func judge(_ verdict: String?, _ door: Door, _ words: String) -> CheckFinding {
        guard let verdict, verdict != "accept", verdict != "continue" else { return finding(door, .ok, "a message passes the filters at \(words)") }
        return finding(door, .note, "\(words) answers, and the filters say to the trial message: \(verdict)")
    }

    private func finding(_ door: Door, _ verdict: CheckFinding.Verdict, _ text: String, _ remedy: String? = nil) -> CheckFinding {
        CheckFinding("door-\(door.kind.rawValue)", Self.text(door.place), verdict, .receiving, text, remedy: remedy, why: "mail does not go the way it should")
    }

    private static func text(_ place: Door.Place) -> String {
        switch place {
        case .inet(let address, let port): LineConnection.Place.inet(address, port).description
        case .unix(let path): path
        case .program(let words): words.prefix(2).map { ($0 as NSString).lastPathComponent }.joined(separator: " ")
        }
    }

    // MARK: Blocking

    private static func hand(_ message: TrialMessage, to door: Door, _ account: Account, within time: Duration) throws -> String? {
        let logIn = MailDoors.LogIn(user: account.address.description, password: account.password)
        let place: LineConnection.Place
        switch door.place {
        case .inet(let address, let port): place = .inet(address, port)
        case .unix(let path): place = .unix(path)
        case .program(let words):
            try TrialProgram.run(words + [message.recipient.description], input: Data(message.text.replacingOccurrences(of: "\r\n", with: "\n").utf8), within: time)
            return nil
        }
        switch door.kind {
        case .smtp: try MailDoors.smtp(place, message, within: time)
        case .submission: try MailDoors.smtp(place, message, logIn: logIn, within: time)
        case .submissions: try MailDoors.smtp(place, message, implicitTLS: true, logIn: logIn, within: time)
        case .lmtp: try MailDoors.lmtp(place, message, within: time)
        case .imap, .imaps: try MailDoors.imap(place, implicitTLS: door.kind == .imaps, logIn: logIn, within: time)
        case .milter: return try MilterDoor.pass(place, message, within: time)
        case .sendmail: break
        }
        return nil
    }

    /// Waits for the message in any folder of the account.
    private func stored(_ message: TrialMessage) async -> Bool {
        let end = ContinuousClock.now + patience, mailbox = account.mailbox
        repeat {
            if (try? await pool.run { Self.contains(mailbox, message) }) == true { return true }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return false }
        } while ContinuousClock.now < end
        return false
    }

    private static func contains(_ mailbox: String, _ message: TrialMessage) -> Bool {
        let paths = FileManager.default.enumerator(atPath: mailbox)?.compactMap { $0 as? String } ?? []
        return paths.prefix(1000).contains { path in
            let parts = path.split(separator: "/")
            guard parts.count >= 2, ["new", "cur"].contains(parts[parts.count - 2]) else { return false }
            return FileManager.default.contents(atPath: mailbox + "/" + path).map { message.isIn($0) } ?? false
        }
    }
}

/// A command with a deadline. Blocks.
enum TrialProgram {
    /// - Throws: what it said when it failed.
    @discardableResult
    static func run(_ words: [String], input: Data = Data(), within time: Duration) throws -> String {
        guard let program = words.first else { return "" }
        let process = Process(), input_ = Pipe(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(words.dropFirst())
        process.standardInput = input_
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // A message this small fits the pipe, whether it is read or not.
        try? input_.fileHandleForWriting.write(contentsOf: input)
        try? input_.fileHandleForWriting.close()
        let end = ContinuousClock.now + time
        while process.isRunning, ContinuousClock.now < end { usleep(20_000) }
        guard !process.isRunning else {
            process.terminate()
            throw LineConnection.Failure(description: "it did not end within \(time)")
        }
        let said = String(decoding: output.fileHandleForReading.availableData.prefix(2000), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard process.terminationStatus == 0 else { throw LineConnection.Failure(description: "it ended with status \(process.terminationStatus): \(said)") }
        return said
    }
}
