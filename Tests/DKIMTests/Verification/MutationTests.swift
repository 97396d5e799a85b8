import Foundation
import InternetMessage
import Testing
@testable import DKIM

@Suite("Mutated messages") struct MutationTests {
    private static let interesting: [UInt8] = [0, 9, 10, 13, 32, 34, 58, 59, 61, 64, 127, 128, 255] + Array("abhdsLt=;:1".utf8)

    private static func mutate(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var out = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<out.count, using: &random)
            let byte = interesting.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0: out[place] = byte
            case 1: out.insert(byte, at: place)
            case 2: out.remove(at: place)
            case 3: out.removeSubrange(place..<min(place + 40, out.count))
            default: out.insert(contentsOf: out[place..<min(place + 60, out.count)], at: Int.random(in: 0...out.count, using: &random))
            }
            if out.isEmpty { out = [10] }
        }
        return out
    }

    @Test("3,000 mutations: one result a field, and none passes whose signed content changed") func mutations() async throws {
        let original = message(StandardVectorTests.rfc8463)
        let bytes = try original.bytes()
        let names = ["from", "to", "subject", "date", "message-id"]
        func content(_ message: Message) throws -> [[UInt8]] {
            try names.map { name in message.header.all(name).last.map(RelaxedHeader.canonicalize) ?? [] } + [DKIMSigner.bodyHash(message.body)]
        }
        let expected = try content(original)
        let verifier = try verifier(StandardVectorTests.rfc8463Zone)
        var random = SplitMix(state: 8463)
        var passes = 0
        for index in 0..<3000 {
            let mutated = Message(parsing: Self.mutate(bytes, &random))
            let results = await verifier.verify(mutated)
            #expect(results.count == mutated.header.count(of: "DKIM-Signature"))
            guard results.contains(where: { $0.verdict == .pass }) else { continue }
            passes += 1
            // A lone CR in a body is a blank to libopendkim; no such body comes from our servers.
            if try mutated.body.bytes().split(separator: 10, omittingEmptySubsequences: false).contains(where: { $0.dropLast().contains(13) }) { continue }
            let found = try content(mutated)
            let shown = String(decoding: try mutated.body.bytes(), as: UTF8.self).debugDescription
            #expect(found == expected, "mutation \(index) passes: \(shown)")
        }
        // Some must pass (one of the two signatures was hit, or a blank); most must not.
        #expect(passes > 100 && passes < 2000, "\(passes) passed")
    }
}
