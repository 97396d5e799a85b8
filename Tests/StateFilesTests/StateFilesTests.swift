import Foundation
import GRDB
import StateFiles
import Synchronization
import Testing

@Suite("Files of the data folder") struct StateFilesTests {
    private func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
        let folder = NSTemporaryDirectory() + "statefiles-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    private func mode(_ path: String) throws -> Int { try (FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? -1 }

    @Test func databaseIsItsOwnersAlone() throws {
        try withFolder { folder in
            let path = folder + "/a.sqlite"
            let queue = try DatabaseFile.open(path, label: "a", migrations: [("1", "CREATE TABLE t (x)")])
            try queue.write { try $0.execute(sql: "INSERT INTO t VALUES (1)") }
            for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let found = try mode(folder + "/" + file)
                #expect(found == 0o600, "\(file)")
            }
            try queue.close()
        }
    }

    @Test func eachStepIsTakenOnce() throws {
        try withFolder { folder in
            let path = folder + "/a.sqlite"
            try DatabaseFile.open(path, label: "a", migrations: [("1", "CREATE TABLE t (x)")]).close()
            let later = try DatabaseFile.open(path, label: "a", migrations: [("1", "CREATE TABLE t (x)"), ("2", "ALTER TABLE t ADD COLUMN y")])
            let columns = try later.read { try $0.columns(in: "t").map(\.name) }
            #expect(columns == ["x", "y"])
            try later.close()
        }
    }

    @Test func whatCannotBeOpenedIsNamed() throws {
        try withFolder { folder in
            let missing = folder + "/no/such/folder/a.sqlite"
            #expect { try DatabaseFile.open(missing, label: "a", migrations: []) } throws: { "\($0)".contains(missing) && "\($0)".contains("No such file") }
            #expect(throws: StateFileError.self) { try DatabaseFile.openReading(folder + "/none.sqlite") }
            try Data("this is no database, but text of some length".utf8).write(to: URL(fileURLWithPath: folder + "/text"))
            #expect(throws: StateFileError.self) { try DatabaseFile.open(folder + "/text", label: "a", migrations: [("1", "CREATE TABLE t (x)")]) }
        }
    }

    @Test func aSecretThatOthersCanReadIsNone() throws {
        try withFolder { folder in
            let path = folder + "/secret"
            try SecretFile.create(path, [1, 2, 3])
            for bits in [0o644, 0o604, 0o602] {
                try FileManager.default.setAttributes([.posixPermissions: bits], ofItemAtPath: path)
                #expect { try SecretFile.read(path) } throws: { "\($0)".contains("chmod o-rwx \(path)") }
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            #expect(try SecretFile.read(path) == [1, 2, 3])
        }
    }

    @Test func secretIsNeverReplaced() throws {
        try withFolder { folder in
            let path = folder + "/secret"
            #expect(try SecretFile.read(path) == nil)
            try SecretFile.create(path, [1, 2, 3])
            try SecretFile.create(path, [4, 5, 6])
            #expect(try SecretFile.read(path) == [1, 2, 3])
            let found = try mode(path)
            #expect(found == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["secret"])
            try Data(count: 70_000).write(to: URL(fileURLWithPath: path))
            #expect(throws: StateFileError.self) { try SecretFile.read(path) }
        }
    }

    @Test func repeatsUntilTold() async throws {
        final class Counter: Sendable { let count = Mutex(0) }
        let counter = Counter()
        await withCheckedContinuation { done in
            Repeating.every(.milliseconds(1), on: DispatchQueue(label: "test"), of: counter) { counter in
                let count = counter.count.withLock { count in
                    count += 1
                    return count
                }
                if count == 3 { done.resume() }
                return count < 3
            }
        }
        #expect(counter.count.withLock { $0 } == 3)
    }
}
