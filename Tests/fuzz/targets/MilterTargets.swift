import InternetMessage
import Milter
@testable import MilterClient
import NIOCore
import NIOEmbedded

/// What a foreign milter sends us.
enum MilterTargets {
    static let packets: FuzzTarget = { input in
        var choices = Choices(input)
        let rhythm = choices.octet(), options = choices.octet()
        let octets = Array(choices.rest)
        let whole = run([octets]), pieces = run(octets.pieces(rhythm))
        expect(whole == pieces, "whole: \(whole)\npieces: \(pieces)")
        var changes = MilterChanges(hidesReceived: options & 1 != 0, keepsLeadingSpace: options & 2 != 0, bodyCount: 100)
        for packet in whole {
            do { try changes.note(packet) } catch { break }
        }
        changes.finish()
        for packet in whole { if let answer = try? MilterStatements.answer(packet) { check(answer) } }
        apply(changes.changes)
    }

    private static func run(_ pieces: [[UInt8]]) -> [MilterReplyPacket] {
        let channel = EmbeddedChannel()
        let handler = MilterPacketHandler(eventLoop: channel.eventLoop)
        _ = try? channel.pipeline.syncOperations.addHandler(handler)
        for piece in pieces { _ = try? channel.writeInbound(ByteBuffer(bytes: piece)) }
        var out: [MilterReplyPacket] = []
        while out.count < 10_000 {
            let box = Box()
            handler.next(within: .seconds(1), "a packet").whenComplete { box.result = $0 }
            guard case .success(let packet)? = box.result else { break }
            out.append(packet)
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return out
    }

    // The embedded channel runs everything on this thread.
    private final class Box: @unchecked Sendable { var result: Result<MilterReplyPacket, any Error>? }

    private static func check(_ answer: FilterAnswer) {
        switch answer {
        case .reject(let reply), .tempfail(let reply):
            expect((400...599).contains(reply.code), "code \(reply.code)")
            expect(LineEnds.clean(Array(reply.wire.utf8)), "a bare line end in \(reply.wire.debugDescription)")
        default: break
        }
    }

    /// A change is one field, one address: nothing else can come with it.
    private static func apply(_ changes: [Modification]) {
        for change in changes {
            switch change {
            case .addHeader(let field), .insertHeader(_, let field), .changeHeader(_, _, let field?):
                let wire = field.bytes + [13, 10]
                expect(MessageHeader.parse(wire[...]).header.fields.count == 1, "more than one field: \(wire)")
            case .addRecipient(let recipient): expect(EmailAddress(recipient.address.description) == recipient.address, "\(recipient.address)")
            default: break
            }
        }
    }
}
