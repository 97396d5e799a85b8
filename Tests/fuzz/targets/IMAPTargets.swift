@testable import IMAPCore
@testable import IMAPServer
import InternetMessage
@testable import MailStore

/// IMAP from a client: framing, literals, commands, names, compression.
enum IMAPTargets {
    /// The same commands come of the octets at once and in pieces.
    static let session: FuzzTarget = { input in
        var choices = Choices(input)
        let options = choices.octet(), rhythm = choices.octet()
        let octets = Array(choices.rest)
        let whole = run([octets], options), pieces = run(octets.pieces(rhythm), options)
        expect(whole == pieces, "whole: \(whole)\npieces: \(pieces)")
    }

    private enum Heard: Equatable {
        case event(CommandFramer.Event)
        case command(TaggedCommand)
        case noCommand(CommandError)
    }

    private struct Conversation: Equatable {
        var heard: [Heard] = []
        var content: [UInt8] = []
    }

    private static func run(_ pieces: [[UInt8]], _ options: UInt8) -> Conversation {
        var framer = CommandFramer(limits: .init(command: 8192, literal: 1024, append: 4096)), out = Conversation(), count: UInt8 = 0
        framer.utf8Names = options & 1 != 0
        for piece in pieces {
            framer.feed(piece)
            while let event = framer.next() {
                if case .append(.chunk(let octets)) = event {
                    out.content += octets
                    continue
                }
                count = count &+ 1
                switch event {
                case .append(.literal):
                    if options & 2 != 0, count % 3 == 0 { framer.refuseAppend() } else { framer.acceptAppend() }
                case .command(let command):
                    let parsed = read(command, utf8: framer.utf8Names)
                    if options & 4 != 0, command.count % 7 == 0 { framer.mode = .line }
                    out.heard.append(parsed)
                    continue
                case .line(let line): _ = (ContinuationLine(sasl: line), ContinuationLine.endsIdle(line))
                case .fatal:
                    // How much of an endless line was seen before it ended depends on the pieces.
                    return out
                default: break
                }
                out.heard.append(.event(event))
            }
            expect(framer.buffered <= 8192 + 4096 + piece.count, "\(framer.buffered) octets are held")
        }
        return out
    }

    private static func read(_ command: [UInt8], utf8: Bool) -> Heard {
        do throws(CommandError) {
            let parsed = try CommandParser.parse(command, utf8Names: utf8)
            check(parsed.command)
            return .command(parsed)
        } catch { return .noCommand(error) }
    }

    private static func check(_ command: Command) {
        switch command {
        case .search(let request, _): search(request.key)
        case .list(let request):
            for pattern in request.patterns where pattern.utf8.count < 200 {
                let list = ListPattern(reference: request.reference, pattern: pattern, delimiter: "/")
                _ = (list.matches(.inbox), list.matchesBelow(MailboxName("a/b")))
            }
        default: break
        }
    }

    private static func search(_ key: SearchKey) {
        let evaluator = SearchEvaluator(key.resolvingSaved(SequenceSet(1...3)), messageCount: 5, largestUID: 9, now: 1_700_000_000)
        _ = try? evaluator.matches(SomeMessage())
    }

    /// Mailbox names: two readings of one name would be a way past somebody's rules.
    static let names: FuzzTarget = { input in
        let text = String(decoding: input, as: UTF8.self)
        expect(ModifiedUTF7.decode(ModifiedUTF7.encode(text).utf8) == text, "\(text.debugDescription) encodes to \(ModifiedUTF7.encode(text))")
        // What is read is written the same way again: no name has two spellings.
        if let decoded = ModifiedUTF7.decode(input) { expect(Array(ModifiedUTF7.encode(decoded).utf8) == input, "\(text.debugDescription) is also \(ModifiedUTF7.encode(decoded))") }
        if let name = MailboxName(wire: input) { expect(MailboxName(wire: name.wire()) == name, "\(name) reads otherwise") }
        if let folder = try? FolderName(text) { check(folder) }
        if let folder = FolderName(storageName: text) { check(folder) }
        let pattern = ListPattern(String(text.prefix(60)), delimiter: "/")
        _ = pattern.matches(MailboxName(text))
        _ = MessageURL(text)
    }

    /// A folder is one entry directly below the mailbox's own folder, and another name is another entry.
    private static func check(_ folder: FolderName) {
        let entry = folder.storageName
        expect(!entry.contains("/") && !entry.utf8.contains(0) && entry != ".." && !entry.hasPrefix("..") && entry.utf8.count <= 255, "\(folder) lies in \(entry.debugDescription)")
        guard !folder.isInbox else { return }
        expect(FolderName(storageName: entry) == folder, "\(folder) lies in \(entry.debugDescription), which is \(String(describing: FolderName(storageName: entry)))")
    }

    /// What a compressed stream holds does not depend on how it was cut, and comes in bounded pieces.
    static let inflate: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet()
        let octets = Array(choices.rest)
        let whole = inflated([octets]), pieces = inflated(octets.pieces(rhythm))
        let isBomb = whole?.count ?? 0 >= 1 << 20 || pieces?.count ?? 0 >= 1 << 20
        expect(whole == pieces || isBomb, "whole: \(whole?.count ?? -1), pieces: \(pieces?.count ?? -1)")
        guard let packed = Deflater().compress(octets) else { return expect(false, "not compressed") }
        expect(inflated([packed]) == octets, "\(octets) does not come back")
    }

    /// nil for what is no deflate stream: how much of it came out before that was seen depends on the pieces.
    private static func inflated(_ pieces: [[UInt8]]) -> [UInt8]? {
        let inflater = Inflater()
        var out: [UInt8] = []
        for piece in pieces {
            inflater.feed(piece)
            do throws(Inflater.Corrupt) {
                while let next = try inflater.next() {
                    expect(next.count <= Inflater.pieceSize, "a piece of \(next.count)")
                    // A bomb is told by its first megabyte.
                    if out.count < 1 << 20 { out += next.prefix((1 << 20) - out.count) } else { return out }
                }
            } catch { return nil }
        }
        return out
    }
}

private struct SomeMessage: SearchableMessage {
    let sequenceNumber: UInt32 = 2, uid: UInt32 = 4, isRecent = true, size = 100, modSequence: UInt64 = 7
    var internalDate: MailDate { MailDate(unixTime: 1_600_000_000) }
    var saveDate: MailDate? { nil }
    static let octets = Array("Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nFrom: a@b.c\r\nSubject: =?utf-8?q?=C3=A4?=\r\n\r\nbody\r\n".utf8)

    func emailID() -> String { "M1" }
    func hasFlag(_ flag: Flag) -> Bool { flag.text == "\\Seen" }
    func header() -> MessageHeader { MessageHeader.parse(Self.octets[...]).header }
    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R { try Self.octets.withUnsafeBytes(body) }
}
