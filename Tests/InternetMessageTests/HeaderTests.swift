import InternetMessage
import Testing

@Suite struct HeaderTests {
    func field(_ text: String) -> HeaderField? { HeaderField(bytes: Array(text.utf8)) }

    @Test func octetsAreKept() throws {
        let field = try #require(self.field("SUBJECT \t:  a\r\n\tb  "))
        #expect(field.description == "SUBJECT \t:  a\r\n\tb  ")
        #expect(field.name == "SUBJECT" && field.value == "a\tb")
        #expect(field.isNamed("subject") && !field.isNamed("subjec") && !field.isNamed("subjects"))
        #expect(Array(field.rawValue) == Array("  a\r\n\tb  ".utf8))
    }

    @Test(arguments: ["", ":", " a: b", "a b: c", "noColon", "\u{e9}: x"])
    func notAField(_ text: String) { #expect(field(text) == nil) }

    @Test func madeFieldsCannotInject() {
        #expect(HeaderField(name: "X", value: "a\r\nBcc: b").description == "X: a Bcc: b")
        #expect(HeaderField(name: "X", value: "a\r\n b\n\tc\rd\0e\r\n").description == "X: a\r\n b\r\n\tc de")
        #expect(HeaderField(name: "X: y\r\nZ", value: "a").name == "XyZ")
        #expect(HeaderField(name: "\r\n", value: "a").name == "X-Unnamed")
    }

    @Test func headerEndsAtTheEmptyLineOrAtWhatIsNoField() {
        let block = Array("A: 1\r\nB: 2\r\n 3\r\n\r\nbody: x\r\n".utf8)
        let (header, consumed) = MessageHeader.parse(block[...])
        #expect(header.fields.map(\.description) == ["A: 1", "B: 2\r\n 3"])
        #expect(consumed == 18)
        let broken = Array("A: 1\r\nnot a field\r\nB: 2\r\n".utf8)
        #expect(MessageHeader.parse(broken[...]).header.fields.count == 1)
        #expect(MessageHeader.parse(broken[...]).consumed == 6)
    }

    @Test func fieldsByName() {
        let message = Message(parsing: Array("Received: 1\nreceived: 2\nTo: x\n\nb\n".utf8))
        #expect(message.header.all("RECEIVED").map(\.value) == ["1", "2"])
        #expect(message.header.first("to")?.value == "x" && message.header.first("cc") == nil)
        #expect(message.header.count(of: "Received") == 2)
        #expect(message.header.byteCount == "Received: 1\r\nreceived: 2\r\nTo: x\r\n".utf8.count)
        #expect((try? message.bytes()) == Array("Received: 1\r\nreceived: 2\r\nTo: x\r\n\r\nb\r\n".utf8))
    }

    static let messages = [
        "A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore", "\r\nbody only", "A: 1\r\n\r\n", "A: 1\r\n", "A: 1", "", "no header\r\nat all", "A: 1\r\nnot a field\r\n\r\nx", "A: 1\r\n\tb\r\n\r\n\r\n\r\n",
    ]

    /// Fed whole and octet by octet, the assembler sees the same message, and octets are neither lost nor made.
    @Test(arguments: messages)
    func assemblerDripFed(_ text: String) throws {
        let bytes = Array(text.utf8)
        var drip = MessageAssembler(memoryLimit: 1 << 20, spoolFolder: "/nonexistent")
        for (index, byte) in bytes.enumerated() {
            try drip.append([byte])
            #expect(drip.count == index + 1)
        }
        var whole = MessageAssembler(memoryLimit: 1 << 20, spoolFolder: "/nonexistent")
        try whole.append(bytes)
        let a = try drip.finish(), b = try whole.finish()
        let reference = Message(parsing: bytes)
        #expect(a.header == b.header && a.header == reference.header)
        #expect(try a.body.bytes() == b.body.bytes())
        #expect(try a.body.bytes() == reference.body.bytes())
    }

    @Test func assemblerSpills() throws {
        var assembler = MessageAssembler(memoryLimit: 10, spoolFolder: "/tmp")
        try assembler.append(Array("A: 1\r\n\r\n".utf8))
        var spills = 0
        for _ in 0..<100 {
            try assembler.append(Array("0123456789abcdef".utf8))
            if assembler.wantsSpill { try assembler.spill(); spills += 1 }
        }
        #expect(spills == 100)
        #expect(assembler.count == 8 + 1600)
        let message = try assembler.finish()
        #expect(message.body.isInFile && message.body.count == 1600)
        #expect(try message.body.bytes() == Array(String(repeating: "0123456789abcdef", count: 100).utf8))
    }

    @Test func headerIsBounded() {
        var assembler = MessageAssembler(memoryLimit: 10, spoolFolder: "/tmp")
        #expect(throws: MessageAssembler.Failure.self) {
            for _ in 0..<20 { try assembler.append(Array(repeating: 97, count: 1 << 16)) }
        }
    }

    @Test func lineEnds() { #expect(LineEnds.toCRLF(Array("a\nb\r\nc\rd\n".utf8)) == Array("a\r\nb\r\nc\rd\r\n".utf8)) }
}
