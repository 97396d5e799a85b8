import Foundation
import InternetMessage
import NetworkAddress
@testable import Policy
@testable import PolicySources
import Testing

/// A state in a folder of its own.
private func withState(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "policy-state-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder + "/policy.sqlite")
}

@Suite struct RateCountersTests {
    private func event(_ key: String, window: Int = 3600, account: Bool = false) -> RateEvent {
        RateEvent(stage: .mail, key: key, window: window, isOfAccount: account, occasion: nil)
    }

    @Test func theWindowSlides() {
        let rates = RateCounters(), start = 1_000 * 3600
        for second in 0..<100 { #expect(rates.count(event("client.ip=192.0.2.1"), at: start + second) == second + 1) }
        #expect(rates.count(event("client.ip=192.0.2.2"), at: start) == 1)
        // Half a window later half of them still count, and after two windows none.
        #expect(rates.count(event("client.ip=192.0.2.1"), at: start + 3600 + 1800) == 51)
        #expect(rates.count(event("client.ip=192.0.2.1"), at: start + 4 * 3600) == 1)
    }

    @Test func stagesAndWindowsCountApart() {
        let rates = RateCounters()
        _ = rates.count(event("a"), at: 0)
        #expect(rates.count(event("a", window: 60), at: 0) == 1)
        #expect(rates.count(RateEvent(stage: .rcpt, key: "a", window: 3600, isOfAccount: false, occasion: "b@c"), at: 0) == 1)
    }

    /// However many clients there are: memory is bounded, and who comes often stays known.
    @Test func bounded() {
        let rates = RateCounters()
        for client in 0..<250_000 {
            _ = rates.count(event("client.ip=\(client)"), at: 0)
            if client % 1000 == 0 { _ = rates.count(event("regular"), at: 0) }
        }
        #expect(rates.size <= RateCounters.strangerLimit)
        #expect(rates.count(event("regular"), at: 0) == 251)
    }

    @Test func accountsOutliveARestart() throws {
        try withState { path in
            let now = Int(Date().timeIntervalSince1970)
            let first = try PolicyState(path: path)
            for _ in 0..<7 { _ = first.rates.count(event("account=ann", account: true), at: now) }
            _ = first.rates.count(event("client.ip=192.0.2.1"), at: now)
            first.close()
            let second = try PolicyState(path: path)
            defer { second.close() }
            #expect(second.rates.count(event("account=ann", account: true), at: now) == 8)
            #expect(second.rates.count(event("client.ip=192.0.2.1"), at: now) == 1)
        }
    }
}

@Suite struct GreylistTests {
    private func attempt(_ client: String, from sender: String? = "a@far.example", to recipient: String = "bob@home.example", trust: Int = 2) throws -> GreylistAttempt {
        var terms = GreylistTerms()
        terms.trustAfter = trust
        return GreylistAttempt(terms: terms, client: try #require(IPAddress(client)), sender: sender.flatMap { EmailAddress($0) },
                               recipient: try #require(EmailAddress(recipient)))
    }

    @Test func waitsOnceThenPasses() throws {
        try withState { path in
            let state = try PolicyState(path: path)
            defer { state.close() }
            let list = state.greylist
            #expect(try list.attempt(attempt("192.0.2.1"), at: 1000) == 300)
            #expect(try list.attempt(attempt("192.0.2.1"), at: 1100) == 200)
            // The farm's next server, and another case.
            #expect(try list.attempt(attempt("192.0.2.99", from: "A@far.example"), at: 1300) == 0)
            #expect(try list.attempt(attempt("192.0.2.1"), at: 1301) == 0)
            #expect(try list.attempt(attempt("192.0.3.1"), at: 1301) == 300)
            #expect(try list.attempt(attempt("192.0.2.1", from: nil), at: 1301) == 300)
            #expect(try list.attempt(attempt("192.0.2.1", to: "eve@home.example"), at: 1301) == 300)
        }
    }

    @Test func sixtyFourBitsAreOneClient() throws {
        try withState { path in
            let state = try PolicyState(path: path)
            defer { state.close() }
            _ = try state.greylist.attempt(attempt("2001:db8:0:1::1"), at: 0)
            #expect(try state.greylist.attempt(attempt("2001:db8:0:1:ffff::9"), at: 300) == 0)
            #expect(try state.greylist.attempt(attempt("2001:db8:0:2::1"), at: 300) == 300)
        }
    }

    @Test func aRetryTooLateIsAFirstAttempt() throws {
        try withState { path in
            let state = try PolicyState(path: path)
            defer { state.close() }
            _ = try state.greylist.attempt(attempt("192.0.2.1"), at: 0)
            #expect(try state.greylist.attempt(attempt("192.0.2.1"), at: 2 * 86_400) == 300)
        }
    }

    @Test func networksThatDeliverAreTrusted() throws {
        try withState { path in
            let first = try PolicyState(path: path)
            for (index, sender) in ["a@far.example", "b@far.example"].enumerated() {
                _ = try first.greylist.attempt(attempt("192.0.2.1", from: sender), at: index * 1000)
                _ = try first.greylist.attempt(attempt("192.0.2.1", from: sender), at: index * 1000 + 300)
            }
            first.close()
            let state = try PolicyState(path: path)
            defer { state.close() }
            #expect(try state.greylist.attempt(attempt("192.0.2.7", from: "new@other.example"), at: 2000) == 0)
            #expect(try state.greylist.attempt(attempt("192.0.2.7", from: "new@other.example", trust: 0), at: 2000) == 300)
            // Trust ends when nothing comes for as long as rows are kept.
            #expect(try state.greylist.attempt(attempt("192.0.2.7", from: "later@other.example"), at: 2000 + 36 * 86_400) == 300)
        }
    }

    @Test func rowsAreBounded() throws {
        try withState { path in
            let database = try StateDatabase.open(path)
            let list = try Greylist(database, limit: 100)
            for index in 0..<1000 { _ = try list.attempt(attempt("192.0.2.1", from: "s\(index)@far.example"), at: index) }
            #expect(try list.rowCount() <= 101)
            #expect(try list.attempt(attempt("192.0.2.1", from: "s999@far.example"), at: 1299) == 0)
        }
    }
}
