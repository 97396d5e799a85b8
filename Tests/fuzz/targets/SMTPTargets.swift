import InternetMessage
@testable import SASL
@testable import SMTPCore

/// SMTP, from both sides.
enum SMTPTargets {
    static let session: FuzzTarget = { run($0, .smtp) }
    static let lmtp: FuzzTarget = { run($0, .lmtp) }

    /// A whole session: the same octets at once and in pieces bring the same replies and the same content.
    private static func run(_ input: [UInt8], _ speaks: ServerProtocol) {
        var choices = Choices(input)
        let options = choices.octet(), answers = choices.octet(), rhythm = choices.octet()
        let octets = Array(choices.rest)
        let whole = Conversation.run([octets], options, answers, speaks)
        let pieces = Conversation.run(octets.pieces(rhythm), options, answers, speaks)
        expect(whole == pieces, "whole: \(whole)\npieces: \(pieces)")
        for message in whole.messages { expect(LineEnds.clean(message), "a message with a bare CR or LF was taken") }
    }

    /// DATA's framing against the rule itself: the message ends at the first CRLF.CRLF.
    static let data: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet()
        let octets = Array(choices.rest)
        let whole = Decoded([octets]), pieces = Decoded(octets.pieces(rhythm))
        expect(whole == pieces, "whole: \(whole)\npieces: \(pieces)")
        let end = ([13, 10] + octets).firstRange(of: [13, 10, 46, 13, 10])
        expect(whole.ended == (end != nil), "ended: \(whole.ended), CRLF.CRLF at \(String(describing: end))")
        if let end, whole.ended {
            // Two octets of CRLF were put in front, three of `.CRLF` follow the line end.
            expect(whole.consumed == end.lowerBound + 3, "consumed \(whole.consumed), not \(end.lowerBound + 3)")
            let raw = Array(octets[..<end.lowerBound])
            expect((whole.defect != nil) == !LineEnds.clean(raw), "defect \(String(describing: whole.defect)) of \(raw)")
            if whole.defect == nil { expect(whole.content == LineEnds.withoutDots(raw), "content \(whole.content) of \(raw)") }
        }
        stuffing(octets, rhythm)
    }

    /// What we send after DATA: nobody can see an end or a bare line end inside, and it decodes to what it was.
    private static func stuffing(_ octets: [UInt8], _ rhythm: UInt8) {
        var whole = DotStuffer(), pieces = DotStuffer()
        var out = whole.stuff(octets)
        out += whole.finish()
        var other: [UInt8] = []
        for piece in octets.pieces(rhythm) { other += pieces.stuff(piece) }
        other += pieces.finish()
        expect(out == other, "stuffed \(out), in pieces \(other)")
        expect(LineEnds.clean(out), "a bare CR or LF in what is sent: \(out)")
        let decoded = Decoded([out + [81]])
        expect(decoded.ended && decoded.consumed == out.count && decoded.defect == nil, "not one message: \(out)")
        if LineEnds.clean(octets), octets.isEmpty || octets.suffix(2) == [13, 10] { expect(decoded.content == octets, "\(octets) became \(decoded.content)") }
    }

    /// BDAT chunks of lengths that the input chooses.
    static let chunks: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet()
        let pieces = Array(choices.rest).pieces(rhythm)
        var commands = Array("EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n".utf8)
        for (index, piece) in pieces.enumerated() { commands += Array("BDAT \(piece.count)\(index == pieces.count - 1 ? " LAST" : "")\r\n".utf8) + piece }
        commands += Array("QUIT\r\n".utf8)
        let whole = Conversation.run([commands], 0, 0, .smtp), dripped = Conversation.run(commands.pieces(0), 0, 0, .smtp)
        expect(whole == dripped, "whole: \(whole)\ndripped: \(dripped)")
        let isClean = LineEnds.clean(Array(choices.rest))
        guard !pieces.isEmpty else { return }
        expect(whole.messages == (isClean ? [Array(choices.rest)] : []), "clean: \(isClean), taken: \(whole.messages)")
    }

    /// A server's replies, and ours read back.
    static let reply: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet()
        let octets = Array(choices.rest)
        let whole = replies([octets]), pieces = replies(octets.pieces(rhythm))
        expect(whole?.map(\.wire) == pieces?.map(\.wire), "whole: \(String(describing: whole))\npieces: \(String(describing: pieces))")
        for reply in whole ?? [] {
            // Blanks between an enhanced code and the text are nobody's.
            let again = replies([Array(reply.wire.utf8)])
            expect(again?.count == 1 && again?[0].code == reply.code && again?[0].enhancedCode == reply.enhancedCode && again?[0].lines.count == reply.lines.count,
                   "\(reply.wire.debugDescription) does not read back")
            expect(reply.lines.allSatisfy { $0.utf8.count <= 480 }, "a line of \(reply.lines.map(\.utf8.count)) octets")
        }
        let own = SMTPReply(550, "5.7.1", String(decoding: octets, as: UTF8.self))
        expect(LineEnds.clean(Array(own.wire.utf8)), "a reply of ours has a bare CR or LF: \(own.wire.debugDescription)")
        let read = replies([Array(own.wire.utf8)])
        expect(read == nil && own.wire.utf8.count > 60_000 || read?.count == 1 && read?[0].code == 550, "our reply reads as \(String(describing: read)): \(own.wire.debugDescription)")
    }

    /// nil for what no server may say: how many replies came before that depends on the pieces.
    private static func replies(_ pieces: [[UInt8]]) -> [SMTPReply]? {
        var parser = SMTPReplyParser(), out: [SMTPReply] = []
        do throws(SMTPReplyParser.Failure) {
            for piece in pieces { try parser.feed(piece, into: &out) }
        } catch { return nil }
        return out
    }

    /// Our client against any server: it ends, decides every recipient, and sends no content that nobody asked for.
    static let client: FuzzTarget = { input in
        var choices = Choices(input)
        let options = choices.octet(), rhythm = choices.octet()
        var run = ClientRun(options)
        run.perform(run.session.connected())
        for piece in Array(choices.rest).pieces(rhythm == 0 ? 5 : rhythm) where !run.isOver { run.perform(run.session.received(piece)) }
        if !run.isOver { run.perform(run.session.connectionClosed()) }
        expect(run.isOver, "the session goes on without a connection")
        if let report = run.report { expect(report.outcomes.count == 2, "\(report.outcomes.count) outcomes") }
    }
}
