import SMTPCore

extension OutgoingMessage {
    /// A message larger than this is not converted: it would have to be held in memory.
    private static let conversionLimit = 32 << 20

    /// The message as a server of these extensions can take it; unchanged where nothing can be done, which is then found out
    /// by the transaction.
    func fitting(_ server: ServerExtensions) async -> OutgoingMessage {
        guard bodyIs8Bit, !server.eightBitMIME, byteCount <= Self.conversionLimit else { return self }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        while bytes.count < byteCount {
            guard let piece = try? await read(bytes.count, min(1 << 16, byteCount - bytes.count)), !piece.isEmpty else { return self }
            bytes += piece
        }
        return SevenBitConversion.convert(bytes).map { OutgoingMessage($0) } ?? self
    }
}
