/// Something about the wiring that is worth a word.
public struct Finding: Sendable, Hashable, Codable {
    public enum Weight: String, Sendable, Hashable, Codable {
        /// Mail is lost, refused, not filtered or filtered twice: to be changed.
        case fix
        /// What a setting means, where a choice was made.
        case note
    }
    /// Names the check, for scripts: `milter-protocol`.
    public let check: String
    public let weight: Weight
    /// Plain words.
    public let text: String
    /// The file to change; nil when there is nothing to change.
    public let file: String?
    /// The lines as they should be.
    public let lines: [String]

    init(_ check: String, _ weight: Weight, _ text: String, file: String? = nil, lines: [String] = []) {
        self.check = check
        self.weight = weight
        self.text = text
        self.file = file
        self.lines = lines
    }
}

/// What our own settings say, as far as Postfix has to match them.
public struct OwnWiring: Sendable, Hashable {
    /// As `listen.milter` has it, in Postfix's syntax; nil when there is no milter listener.
    public var milter: String?
    public var authservID: String
    public var recipientDelimiter: String
    public var lmtp: [Endpoint]
    public var logIn: [Endpoint]
    /// The settings file, for lines that belong there.
    public var file: String

    public init(milter: String?, authservID: String, recipientDelimiter: String, lmtp: [Endpoint] = [], logIn: [Endpoint] = [], file: String) {
        self.milter = milter
        self.authservID = authservID
        self.recipientDelimiter = recipientDelimiter
        self.lmtp = lmtp
        self.logIn = logIn
        self.file = file
    }
}

/// Looks at how a Postfix and we are wired together. Pure: who answers where is told to it.
public struct PostfixDoctor: Sendable {
    let postfix: PostfixSettings
    let own: OwnWiring
    /// Whether somebody answers; an endpoint that is not in it was not asked.
    let answers: [Endpoint: Bool]

    public init(_ postfix: PostfixSettings, own: OwnWiring, answers: [Endpoint: Bool]) {
        self.postfix = postfix
        self.own = own
        self.answers = answers
    }

    /// What is to be tried before ``findings()``: every place that Postfix would connect to.
    public static func endpoints(_ postfix: PostfixSettings) -> Set<Endpoint> {
        let doctor = PostfixDoctor(postfix, own: OwnWiring(milter: nil, authservID: "", recipientDelimiter: "", file: ""), answers: [:])
        var out = Set<Endpoint>()
        for (entry, client) in doctor.milterEntries { if let endpoint = doctor.endpoint(entry.address, client) { out.insert(endpoint) } }
        for service in postfix.smtpd { if let endpoint = doctor.logInEndpoint(service) { out.insert(endpoint) } }
        for transport in doctor.lmtpTransports { if let endpoint = transport.endpoint { out.insert(endpoint) } }
        return out
    }

    /// Everything found, what is to be changed first.
    public func findings() -> [Finding] {
        let all = milterChecks + macroChecks + identityChecks + submissionChecks + logInChecks + deliveryChecks
        var seen = Set<Finding>()
        let once = all.filter { seen.insert($0).inserted }
        return once.filter { $0.weight == .fix } + once.filter { $0.weight == .note }
    }

    func endpoint(_ text: String, _ client: PostfixSettings.Service?) -> Endpoint? {
        Endpoint(text, queue: postfix.queueDirectory, isChrooted: client?.isChrooted ?? false)
    }

    func isSilent(_ endpoint: Endpoint?) -> Bool { endpoint.flatMap { answers[$0] } == false }
}
