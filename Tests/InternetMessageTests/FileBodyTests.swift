import Foundation
import InternetMessage
import Testing

@Suite struct FileBodyTests {
    @Test func aBodyInsideAFileIsReadFromItsStartForItsLengthAndOutlivesTheName() throws {
        let path = NSTemporaryDirectory() + "/body-\(UUID().uuidString)"
        try Data("head\r\nthe body\r\njournal".utf8).write(to: URL(fileURLWithPath: path))
        let body = try MessageBody(fileAt: path, start: 6, count: 10)
        try FileManager.default.removeItem(atPath: path)
        #expect(String(decoding: try body.bytes(), as: UTF8.self) == "the body\r\n")
        #expect(throws: SpoolFile.Failure.self) { try MessageBody(fileAt: path, start: 0, count: 1) }
    }
}
