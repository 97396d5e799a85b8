import BlockingPool
import Foundation
import InternetMessage
import NetworkAddress
import Policy
import PolicySources
import Synchronization
import Tags

/// A temporary folder that goes with ``close()``: there each test has a ledger, counters and a greylist of its own, as
/// far as it has to do with them.
final class TestFolder: Sendable {
    let pool = BlockingPool(threads: 1, name: "policy-test")
    private let path: String
    /// For the tests without tags.
    private let emptyLedger: TagLedger

    /// Blocks.
    init() throws {
        path = NSTemporaryDirectory() + "/postern-policy-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        do { emptyLedger = try Self.ledger(path + "/empty.sqlite") } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    /// Blocks.
    func close() {
        emptyLedger.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Runs a body with the ground that a test's message is to find.
    func withGround<Value: Sendable>(_ test: MessageTest, delimiters: String, _ body: @Sendable (TestGround) async throws -> Value) async throws -> Value {
        let name = path + "/" + UUID().uuidString
        let isTagged = !test.tags.isEmpty || test.recipients.contains { $0.splittingDetail(delimiters: delimiters).detail != nil }
        let ledger = isTagged ? try await pool.run { try Self.prepared(name + ".tags", test, delimiters) } : emptyLedger
        let ground = TestGround(ledger: ledger, pool: pool, statePath: name + ".state")
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(ground)) } catch { outcome = .failure(error) }
        try? await pool.run {
            ground.closeState()
            if isTagged { ledger.close() }
        }
        return try outcome.get()
    }

    private static func ledger(_ path: String) throws -> TagLedger {
        var options = TagLedger.Options()
        options.flushInterval = nil
        return try TagLedger(path: path, mintingKey: Array(repeating: 7, count: 32), options: options)
    }

    private static func prepared(_ path: String, _ test: MessageTest, _ delimiters: String) throws -> TagLedger {
        let ledger = try ledger(path)
        for known in test.tags {
            let (base, detail) = known.address.splittingDetail(delimiters: delimiters)
            let tag = TagAddress(base: base, detail: detail ?? "")
            switch known.state {
            case .owned(let owners): for owner in owners { try ledger.allow(tag, owner, at: test.time) }
            case .blocked: try ledger.block(tag, at: test.time)
            case .revoked: try ledger.revoke(tag, at: test.time)
            }
        }
        return ledger
    }
}

/// What one test's messages leave behind and find again.
final class TestGround: Sendable {
    let ledger: TagLedger
    let pool: BlockingPool
    private let statePath: String
    private let state = Mutex<PolicyState?>(nil)

    init(ledger: TagLedger, pool: BlockingPool, statePath: String) {
        self.ledger = ledger
        self.pool = pool
        self.statePath = statePath
    }

    /// Counters and greylist, made when they are first asked for. Blocks.
    func openState() throws -> PolicyState {
        try state.withLock { state in
            if let state { return state }
            let fresh = try PolicyState(path: statePath)
            state = fresh
            return fresh
        }
    }

    /// Blocks.
    func closeState() { state.withLock { $0?.close() } }
}
