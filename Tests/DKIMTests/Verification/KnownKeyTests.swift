import COpenDKIM
import Foundation
import InternetMessage
import Testing
@testable import DKIM

/// The table is the process's own and other tests use it too: a key made here is decoded by nobody else.
@Suite("Keys that were decoded before") struct KnownKeyTests {
    private func counts() -> (found: UInt64, decoded: UInt64) {
        var (found, decoded) = (UInt64(0), UInt64(0))
        postern_known_keys_count(&found, &decoded)
        return (found, decoded)
    }

    private func signed(with key: SigningKey, _ subject: String) throws -> Message {
        let plain = message("From: ann@example.org\r\nSubject: \(subject)\r\n\r\nhello\r\n")
        return plain.adding(try DKIMSigner().sign(plain, with: [key], at: Date(timeIntervalSince1970: TimeInterval(testTime))))
    }

    @Test("libopendkim's own call is answered from the table the second time") func foundAgain() async throws {
        let key = TestKeys.make(.rsa2048, "again")
        let verifier = try verifier(["again._domainkey.example.org": .txt([key.publicRecord])])
        let before = counts()
        #expect(await verifier.verify(try signed(with: key, "one")).map(\.verdict) == [.pass])
        let first = counts()
        #expect(first.decoded > before.decoded)
        #expect(await verifier.verify(try signed(with: key, "two")).map(\.verdict) == [.pass])
        #expect(counts().found > first.found)
    }

    @Test("a key that replaced another under the same name is the one that counts") func replaced() async throws {
        let (old, new) = (TestKeys.make(.rsa2048, "sel"), TestKeys.make(.rsa2048, "sel"))
        let (withOld, withNew) = (try signed(with: old, "old"), try signed(with: new, "new"))
        for _ in 0..<3 {
            let before = try verifier(["sel._domainkey.example.org": .txt([old.publicRecord])])
            let after = try verifier(["sel._domainkey.example.org": .txt([new.publicRecord])])
            #expect(await before.verify(withOld).map(\.verdict) == [.pass])
            #expect(await before.verify(withNew).map(\.verdict) == [.fail])
            #expect(await after.verify(withOld).map(\.verdict) == [.fail])
            #expect(await after.verify(withNew).map(\.verdict) == [.pass])
        }
    }

    @Test("several keys, from many threads at once") func concurrent() async throws {
        let keys = (0..<4).map { TestKeys.make(.rsa2048, "k\($0)") }
        let zone = Dictionary(uniqueKeysWithValues: keys.map { ("\($0.selector)._domainkey.example.org", LiteralResolver.Answer.txt([$0.publicRecord])) })
        let verifier = try verifier(zone)
        let messages = try keys.map { try signed(with: $0, $0.selector) }
        let passes = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<400 {
                group.addTask { await verifier.verify(messages[index % messages.count]).map(\.verdict) == [.pass] }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(passes == 400)
    }
}
