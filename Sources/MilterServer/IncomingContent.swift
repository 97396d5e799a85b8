import InternetMessage

/// The content of one message as an MTA sends it: field by field, then the body in chunks. Bounded in memory.
struct IncomingContent: ~Copyable {
    enum Failure: Error {
        case headerTooLarge, messageTooLarge
        /// The spool folder does not take it.
        case spool(SpoolFile.Failure)
    }

    private var fields: [HeaderField] = []
    private var headerOctets = 0
    private var body: MessageAssembler
    private var bodyOctets = 0
    private let sizeLimit: Int

    /// - Parameter sizeLimit: octets of header and body.
    init(sizeLimit: Int, memoryLimit: Int, spoolFolder: String) {
        self.sizeLimit = sizeLimit
        body = MessageAssembler(memoryLimit: memoryLimit, spoolFolder: spoolFolder)
    }

    /// Takes a field: the value's octets with LF where the field is folded.
    /// - Throws: ``Failure/headerTooLarge``.
    mutating func addField(name: String, value: [UInt8], hasLeadingBlank: Bool) throws {
        // Made with CRLF before each blank, as the field stood on the wire. Without the protocol's leading blank, one
        // is put back: nearly every field has it.
        let field = HeaderField(name: name, rawValue: hasLeadingBlank ? value : [32] + value)
        headerOctets += field.bytes.count + 2
        guard headerOctets <= MessageAssembler.headerLimit else { throw Failure.headerTooLarge }
        fields.append(field)
    }

    /// Takes body octets. Blocks when they go to the spool.
    mutating func addBody(_ chunk: UnsafeBufferPointer<UInt8>) throws {
        // The assembler wants a header first: an empty one.
        if bodyOctets == 0 { try? body.append([13, 10]) }
        bodyOctets += chunk.count
        guard headerOctets + 2 + bodyOctets <= sizeLimit else { throw Failure.messageTooLarge }
        do {
            try body.append(chunk)
            if body.wantsSpill { try body.spill() }
        } catch let failure as SpoolFile.Failure {
            throw Failure.spool(failure)
        }
    }

    /// The whole message. Blocks when it was spooled.
    consuming func finish() throws -> Message {
        if bodyOctets == 0 { return Message(header: MessageHeader(fields)) }
        let header = MessageHeader(fields)
        do {
            return Message(header: header, body: try body.finish().body)
        } catch let failure as SpoolFile.Failure {
            throw Failure.spool(failure)
        }
    }
}
