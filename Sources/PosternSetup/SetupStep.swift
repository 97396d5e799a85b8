import Foundation

/// One thing that a server needs. It can be looked at without changing anything, so that a dry run and a second run are
/// the same code as the first.
public protocol SetupStep: Sendable {
    /// What it is, for a table: `settings`, `DKIM keys`.
    var item: String { get }
    /// Changes nothing. Blocks.
    /// - Throws: what keeps it from being known or made, in words for an operator.
    func look() throws -> SetupState
    /// Makes it; called only when ``look()`` found it missing. Blocks.
    /// - Returns: what to show once and never again, as a password.
    func perform() throws -> [String]
}

public enum SetupState: Sendable, Hashable {
    /// It is there and stays as it is.
    case kept(String)
    /// It is not there; what would be made.
    case missing(String)
    /// Not wanted here; why.
    case skipped(String)
}

/// The steps of one set-up, in their order.
public struct SetupPlan: Sendable {
    public struct Outcome: Sendable {
        public let item: String
        /// `made`, `would make`, `kept`, `skipped`.
        public let word: String
        public let detail: String
        public let secrets: [String]
    }

    public let steps: [any SetupStep]

    public init(_ steps: [any SetupStep]) { self.steps = steps }

    /// Looks at every step, and makes what is missing unless it is a dry run.
    /// - Parameter report: hears of each as it is done.
    /// - Throws: of the first step that failed, with its name. What was made before it stays, and the next run keeps it.
    public func run(dry: Bool, report: (Outcome) -> Void) throws {
        for step in steps {
            do {
                switch try step.look() {
                case .kept(let detail): report(Outcome(item: step.item, word: "kept", detail: detail, secrets: []))
                case .skipped(let detail): report(Outcome(item: step.item, word: "skipped", detail: detail, secrets: []))
                case .missing(let detail):
                    let secrets = dry ? [] : try step.perform()
                    report(Outcome(item: step.item, word: dry ? "would make" : "made", detail: detail, secrets: secrets))
                }
            } catch { throw SetupFailure("\(step.item): \(error)") }
        }
    }
}

/// What is wrong, in words for an operator.
public struct SetupFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
    static func system(_ path: String, _ what: String) -> SetupFailure { SetupFailure("\(path) \(what): \(String(cString: strerror(errno)))") }
}
