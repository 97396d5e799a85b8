import IMAPCore
import InternetMessage
import Testing

@Suite struct CommandFramerTests {
    typealias Event = CommandFramer.Event

    /// Feeds in pieces of the given size, draining after each, appends accepted; chunks of one message joined.
    func run(_ text: String, by size: Int, limits: CommandFramer.Limits = .init(), accept: Bool = true) -> [Event] {
        var framer = CommandFramer(limits: limits)
        let bytes = Array(text.utf8)
        var events: [Event] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            framer.feed(bytes[start..<min(start + size, bytes.count)])
            while let event = framer.next() {
                if case .append(.literal) = event { if accept { framer.acceptAppend() } else { framer.refuseAppend() } }
                if case .append(.chunk(let more)) = event, case .append(.chunk(let sofar)) = events.last { events[events.count - 1] = .append(.chunk(sofar + more)) } else { events.append(event) }
            }
        }
        return events
    }

    static let append = "A003 APPEND saved-messages (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {5}\r\nab\r\nc\r\nA004 NOOP\r\n"

    static let streams = [
        "a NOOP\r\nb CHECK\r\n", "A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\na NOOP\r\n", "A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man\r\n", append,
        "a APPEND {4}\r\nbo\"x {3+}\r\nxyz\r\n", "a APPEND x {0}\r\n\r\nb NOOP\r\n", "a LOGIN \"{5}\" x\r\n\r\nb NOOP\n", "a APPEND x {3}\r\nabcd\r\nb NOOP\r\n", "a APPEND x {3} y {3}\r\nb NOOP\r\n",
    ]

    /// Fed whole and an octet at a time, the events are the same.
    @Test(arguments: streams)
    func dripFeeding(_ text: String) {
        let whole = run(text, by: text.utf8.count)
        #expect(!whole.isEmpty)
        for size in [1, 2, 3, 7] { #expect(run(text, by: size) == whole) }
    }

    /// RFC 3501 §7.5's example.
    @Test func literalsAskForContinuation() {
        #expect(run("A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\n", by: 1) == [
            .needContinuation(size: 11), .needContinuation(size: 7), .command(Array("A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\n".utf8)),
        ])
    }

    /// RFC 7888 §3.
    @Test func nonSynchronisingLiteralsDoNot() {
        #expect(run("A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man\r\n", by: 1).count == 1)
    }

    @Test func literalContentIsNotReadAsLines() {
        #expect(run("a LOGIN {8+}\r\nx {3}\r\ny z\r\n", by: 1) == [.command(Array("a LOGIN {8+}\r\nx {3}\r\ny z\r\n".utf8))])
    }

    @Test func appendIsStreamed() {
        let header = AppendHeader(tag: "A003", mailbox: MailboxName("saved-messages"))
        let message = AppendMessage(flags: [.seen], date: MailDate("17 Jul 1996 02:44:25 -0700"))
        #expect(run(Self.append, by: 1) == [
            .append(.begins(header)), .append(.message(message)), .append(.literal(AppendLiteral(size: 5))), .append(.chunk(Array("ab\r\nc".utf8))),
            .append(.messageEnds), .append(.ends), .command(Array("A004 NOOP\r\n".utf8)),
        ])
    }

    @Test func appendWithLiteralMailbox() {
        let events = run("a APPEND {4}\r\nbo\"x {3+}\r\nxyz\r\n", by: 1)
        #expect(events.first == .needContinuation(size: 4))
        #expect(events[1] == .append(.begins(AppendHeader(tag: "a", mailbox: MailboxName("bo\"x")))))
        #expect(events[3] == .append(.literal(AppendLiteral(size: 3, isSynchronising: false))))
    }

    @Test func refusedAppend() {
        // The client that waits sends nothing; the one that does not is skipped over.
        #expect(run("a APPEND x {5}\r\nb NOOP\r\n", by: 1, accept: false).last == .command(Array("b NOOP\r\n".utf8)))
        #expect(run("a APPEND x {5+}\r\n\r\n\r\nz\r\nb NOOP\r\n", by: 1, accept: false).dropFirst(3) == [.command(Array("b NOOP\r\n".utf8))])
    }

    @Test func abandonedAppend() {
        var framer = CommandFramer()
        framer.feed(Array("a APPEND x {5+}\r\nab".utf8))
        for _ in 0..<3 { _ = framer.next() }
        framer.acceptAppend()
        #expect(framer.next() == .append(.chunk(Array("ab".utf8))))
        framer.abandonAppend()
        framer.feed(Array("cde\r\nb NOOP\r\n".utf8))
        #expect(framer.next() == .command(Array("b NOOP\r\n".utf8)))
    }

    @Test func textBehindAMessageIsAFault() {
        let events = run("a APPEND x {3}\r\nabcd\r\nb NOOP\r\n", by: 1)
        guard case .failed(let error) = events[4] else { Issue.record("\(events)"); return }
        #expect(error.tag == "a")
        #expect(events.last == .command(Array("b NOOP\r\n".utf8)))
    }

    @Test func badAppendIsAnsweredInsteadOfContinued() {
        let events = run("a APPEND x (\\Bogus) {3}\r\nb NOOP\r\n", by: 1)
        guard case .failed(let error) = events[0] else { Issue.record("\(events)"); return }
        #expect(error.tag == "a" && events.count == 2)
    }

    @Test func limits() {
        let small = CommandFramer.Limits(command: 100, literal: 20, append: 50)
        func kinds(_ text: String) -> [String] {
            run(text, by: 1, limits: small).map { event in
                switch event {
                case .failed(let error): "failed \(error.tag ?? "-")"
                case .fatal(let error): "fatal \(error.tag ?? "-")"
                case .command: "command"
                default: "other"
                }
            }
        }
        let after = "b NOOP\r\n"
        #expect(kinds("a LOGIN {21}\r\n" + after) == ["failed a", "command"])
        #expect(kinds("a LOGIN {21+}\r\n" + String(repeating: "x", count: 21) + " {3+}\r\nabc\r\n" + after) == ["failed a", "command"])
        #expect(kinds("a LOGIN {21+}\r\n" + String(repeating: "x", count: 21) + " {3}\r\n" + after) == ["failed a", "command"])
        #expect(kinds("a APPEND x {51}\r\n" + after) == ["failed a", "command"])
        #expect(kinds("a APPEND x {51+}\r\n" + String(repeating: "x", count: 51) + "\r\n" + after) == ["failed a", "command"])
        #expect(kinds("a APPEND x {99999999999999999999+}\r\n" + after) == ["fatal a"])
        #expect(kinds("a LOGIN " + String(repeating: "x", count: 200) + "\r\n") == ["fatal a"])
    }

    /// A whole overlong line in one read can be skipped.
    @Test func overlongLineWithItsEnd() {
        let events = run("a LOGIN " + String(repeating: "x", count: 200) + "\r\nb NOOP\r\n", by: 1000, limits: .init(command: 100))
        guard case .failed(let error) = events[0] else { Issue.record("\(events)"); return }
        #expect(error.tag == "a" && events.last == .command(Array("b NOOP\r\n".utf8)))
    }

    /// The server sees IDLE before the framer reads on, so DONE comes as a line, even when pipelined.
    @Test func linesInsideCommands() {
        var framer = CommandFramer()
        framer.feed(Array("a IDLE\r\nDONE\r\nb NOOP\r\n".utf8))
        #expect(framer.next() == .command(Array("a IDLE\r\n".utf8)))
        framer.mode = .line
        #expect(framer.next() == .line(Array("DONE".utf8)))
        #expect(framer.next() == .command(Array("b NOOP\r\n".utf8)))
        #expect(framer.next() == nil)
    }

    @Test func plainTextBehindStartTLSIsForgotten() {
        var framer = CommandFramer()
        framer.feed(Array("a STARTTLS\r\nb LOGIN x y\r\n".utf8))
        _ = framer.next()
        #expect(framer.buffered == 13)
        framer.discardBuffered()
        #expect(framer.next() == nil && framer.buffered == 0)
    }

    /// What a large message leaves behind is one read, not the message.
    @Test func memoryIsBoundedWhileStreaming() {
        var framer = CommandFramer()
        framer.feed(Array("a APPEND x {10000000+}\r\n".utf8))
        for _ in 0..<3 { _ = framer.next() }
        framer.acceptAppend()
        let chunk = [UInt8](repeating: 120, count: 100_000)
        var total = 0
        for _ in 0..<100 {
            framer.feed(chunk)
            while case .append(.chunk(let bytes))? = framer.next() { total += bytes.count }
            #expect(framer.buffered == 0)
        }
        #expect(total == 10_000_000)
        framer.feed(Array("\r\n".utf8))
        #expect(framer.next() == .append(.messageEnds) && framer.next() == .append(.ends))
    }
}
