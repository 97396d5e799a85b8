import DNS
import Foundation
import InternetMessage
import Logging
import Policy
import PolicySources

/// Answers a test's look-ups as a server's are answered, from the test's DNS, ground and time.
struct TestPolicySource: PolicySource {
    let resolver: any Resolver
    let ground: TestGround
    /// Seconds since 1970.
    let time: Int
    /// What the account may write as; empty: anything.
    let addresses: [EmailAddress]
    let delimiters: String

    func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
        var state: PolicyState?
        switch query {
        case .rate, .greylist:
            do { state = try await ground.pool.run { try ground.openState() } } catch { return PolicyAnswer(nil, remarks: ["\(error)"]) }
        default: break
        }
        let time = time
        let live = LivePolicySource(
            resolver: resolver, state: state, pool: ground.pool, archives: ground.pool, logger: Logger(label: "policy-test") { _ in SwiftLogNoOpLogHandler() },
            mayWrite: { _, address in mayWrite(as: address) }, now: { time })
        return await live.answer(query, about: message)
    }

    private func mayWrite(as address: EmailAddress) -> Bool {
        let base = address.splittingDetail(delimiters: delimiters).base.folded
        return addresses.isEmpty || addresses.contains { $0.folded == address.folded || $0.folded == base }
    }
}
