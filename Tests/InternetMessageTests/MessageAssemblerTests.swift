import Testing
@testable import InternetMessage

@Suite struct MessageAssemblerTests {
    /// The limit holds however the header arrives, also when its end comes in the same piece.
    @Test(arguments: [1, 2, 1000]) func headerLimit(_ pieces: Int) {
        let header = Array((String(repeating: "X-A: 0123456789\r\n", count: 70_000) + "\r\n").utf8)
        #expect(header.count > MessageAssembler.headerLimit)
        #expect(throws: MessageAssembler.Failure.headerTooLarge) {
            var assembler = MessageAssembler(memoryLimit: 1000, spoolFolder: "/nonexistent")
            let size = header.count / pieces + 1
            for start in stride(from: 0, to: header.count, by: size) { try assembler.append(header[start..<min(start + size, header.count)]) }
        }
    }
}
