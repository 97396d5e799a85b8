import Foundation
import Testing

/// Every input that was kept, once through its target: what was found once stays mended, and the targets build. Fuzzing itself
/// is contrib/fuzz.
@Suite(.serialized) struct FuzzCorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("corpus")

    @Test(.timeLimit(.minutes(1)), arguments: FuzzTargets.all.keys.sorted()) func everyInputIsTaken(_ name: String) async throws {
        let target = try #require(FuzzTargets.all[name])
        let files = try FileManager.default.contentsOfDirectory(at: Self.corpus.appendingPathComponent(name), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        let inputs = try files.sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
        // A thread of its own: some targets wait for tasks of theirs, which need Swift's own threads.
        await withCheckedContinuation { continuation in
            Thread {
                for input in inputs + [[]] { target(input) }
                continuation.resume()
            }.start()
        }
    }

    @Test func everyFolderHasItsTarget() throws {
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)) == Set(FuzzTargets.all.keys))
    }
}
