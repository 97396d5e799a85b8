import IMAPCore

extension IMAPSession {
    /// COMPRESS (RFC 4978 §3): the OK is the last that goes out plain.
    func compress(_ tag: String, _ mechanism: String) async throws {
        guard !isCompressed else { return respond(tag, .no("compression is on already", code: .compressionActive)) }
        guard mechanism == "DEFLATE" else { return respond(tag, .no("that mechanism is not offered", code: .cannot)) }
        // What came in behind the command could be either plain or compressed: RFC 4978 §3 forbids it.
        guard framer.buffered == 0 else { return respond(tag, .bad("wait for the answer to COMPRESS")) }
        respond(tag, .ok("compression begins now"))
        try await flush()
        guard await connection.compress() else { throw ConnectionClosed() }
        isCompressed = true
    }
}
