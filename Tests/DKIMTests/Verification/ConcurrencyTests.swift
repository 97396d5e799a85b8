import Foundation
import InternetMessage
import Testing
@testable import DKIM

@Suite("One verifier, many messages at once") struct ConcurrencyTests {
    @Test("400 messages, two signatures each, good and bad mixed") func parallel() async throws {
        let verifier = try verifier()
        let signer = DKIMSigner()
        let keys = [TestKeys.rsa, TestKeys.ed25519]
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<400 {
                group.addTask {
                    let plain = message("From: ann@example.org\r\nSubject: \(index)\r\n\r\n" + String(repeating: "line \(index)\r\n", count: index))
                    var signed = plain.adding(try signer.sign(plain, with: keys, at: Date(timeIntervalSince1970: TimeInterval(testTime))))
                    let isGood = index % 3 != 0
                    if !isGood { signed.body = MessageBody(try signed.body.bytes() + [120]) }
                    let results = await verifier.verify(signed)
                    return results.map(\.verdict) == Array(repeating: isGood ? .pass : .fail, count: 2) ? 0 : 1
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
