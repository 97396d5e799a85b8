import InternetMessage

/// A checked `test` block.
public struct RuleTest: Sendable {
    public let name: String
    public let file: String
    public let line: Int
    let subject: Subject
    let expected: [Expectation]

    enum Subject: Sendable {
        case facts(PolicyStage, LiteralFacts)
        case message(MessageTest)
    }

    /// The message that the test is about; nil for a test of one stage's facts.
    public var message: MessageTest? {
        if case .message(let message) = subject { message } else { nil }
    }

    struct Expectation: Sendable {
        let kind: Kind
        let line: Int

        enum Kind: Sendable {
            case decision(ExpectedDecision)
            case rule(String, wanted: Bool)
            case action(RuleAction)
            case header(String, value: String?, wanted: Bool)
            case folder(String, wanted: Bool)
            case keyword(String, wanted: Bool)
            case delivered(EmailAddress, wanted: Bool)
            case that(Condition, written: String)
        }
    }
}

/// What came of a `test` block.
public struct RuleTestResult: Sendable {
    public let test: RuleTest
    /// One for each expectation that was not met; empty when the test passed.
    public let failures: [RuleTestFailure]
    /// Every rule that was asked, stage after stage, at `rcpt` once for each recipient.
    public let trace: [RuleTrace]
    public var passed: Bool { failures.isEmpty }

    public init(test: RuleTest, failures: [RuleTestFailure], trace: [RuleTrace]) {
        self.test = test
        self.failures = failures
        self.trace = trace
    }
}

/// An expectation that was not met.
public struct RuleTestFailure: Sendable, Hashable, CustomStringConvertible {
    /// Where it stands in the test's file.
    public let line: Int
    /// What was expected, and what came.
    public let description: String

    public init(line: Int, _ description: String) {
        self.line = line
        self.description = description
    }
}

extension RuleAction {
    /// Whether it changes a message, its recipients or its copies, and does not decide or guard.
    var isChange: Bool {
        switch self {
        case .accept, .discard, .reject, .tempfail, .limit, .greylist, .requireTLS, .nextFile: false
        default: true
        }
    }
}
