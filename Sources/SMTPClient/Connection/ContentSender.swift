import NIOCore
import SMTPCore

/// Writes a message's content to a channel with back-pressure: at most one piece is in memory.
struct ContentSender: Sendable {
    /// The source failed; not the connection.
    struct Unreadable: Error { let reason: String }

    static let pieceSize = 65536
    let message: OutgoingMessage
    let channel: any Channel
    let form: SMTPClientSession.ContentForm

    /// - Parameters:
    ///   - progressed: called after each piece that the transport took.
    ///   - sending: called before each chunk of BDAT and before the last piece goes out, so that no verdict can overtake
    ///     the knowledge of it; whether it is the last.
    func send(progressed: @Sendable () -> Void, sending: @Sendable (_ isLast: Bool) -> Void) async throws {
        var encoder = ContentEncoder(form)
        var offset = 0
        while offset < message.byteCount {
            let piece = try await read(offset)
            offset += piece.count
            let isLast = offset >= message.byteCount
            let bytes = encoder.encode(piece, isLast: isLast)
            try Task.checkCancellation()
            if isLast || form == .chunks { sending(isLast) }
            try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
            if isLast { return }
            progressed()
        }
        // A message of no octets at all.
        try Task.checkCancellation()
        sending(true)
        try await channel.writeAndFlush(channel.allocator.buffer(bytes: encoder.encode([], isLast: true)))
    }

    private func read(_ offset: Int) async throws -> [UInt8] {
        let piece: [UInt8]
        do {
            piece = try await message.read(offset, min(Self.pieceSize, message.byteCount - offset))
        } catch {
            throw Unreadable(reason: "\(error)")
        }
        guard !piece.isEmpty else { throw Unreadable(reason: "it ends after \(offset) of \(message.byteCount) octets") }
        return piece
    }
}
