extension DecisionRecord {
    /// The facts of a connection.
    public struct Client: Codable, Sendable, Hashable {
        /// `smtp`, `submission`, `submissions`, `milter`, `lmtp`; `local` for mail made here.
        public var listener: String
        /// nil for a UNIX-domain client and mail made here.
        public var address: String?
        public var port: Int?
        /// The verified reverse name.
        public var name: String?
        public var localAddress: String?
        public var localPort: Int?
        public var daemon: String?
        /// Whether the address lies in the own networks.
        public var isOwn: Bool
        public var tls: TLS?
        public var account: String?
        public var mechanism: String?
        public var helo: String

        public init(listener: String, address: String? = nil, port: Int? = nil, name: String? = nil, localAddress: String? = nil, localPort: Int? = nil,
                    daemon: String? = nil, isOwn: Bool = false, tls: TLS? = nil, account: String? = nil, mechanism: String? = nil, helo: String = "") {
            self.listener = listener
            self.address = address
            self.port = port
            self.name = name
            self.localAddress = localAddress
            self.localPort = localPort
            self.daemon = daemon
            self.isOwn = isOwn
            self.tls = tls
            self.account = account
            self.mechanism = mechanism
            self.helo = helo
        }
    }

    public struct TLS: Codable, Sendable, Hashable {
        public var version: String
        public var cipher: String
        public var bits: Int
        public var serverName: String?

        public init(version: String, cipher: String, bits: Int, serverName: String? = nil) {
            self.version = version
            self.cipher = cipher
            self.bits = bits
            self.serverName = serverName
        }
    }

    public struct Envelope: Codable, Sendable, Hashable {
        /// nil is the null reverse-path.
        public var sender: String?
        public var parameters: [String: String]
        public var recipients: [Recipient]

        public init(sender: String?, parameters: [String: String] = [:], recipients: [Recipient] = []) {
            self.sender = sender
            self.parameters = parameters
            self.recipients = recipients
        }

        /// Those that were taken.
        public var accepted: [Recipient] { recipients.filter { $0.refusal == nil } }
    }

    /// One RCPT and its answer.
    public struct Recipient: Codable, Sendable, Hashable {
        public var address: String
        /// What the client said, where that is another.
        public var original: String?
        public var parameters: [String: String]
        /// The reply that refused it; nil when it was taken.
        public var refusal: String?
        /// The filter that refused it; nil when the server did.
        public var refusedBy: String?
        /// What the ledger knew of its tag when it was asked about.
        public var tag: String?

        public init(_ address: String, original: String? = nil, parameters: [String: String] = [:], refusal: String? = nil, refusedBy: String? = nil,
                    tag: String? = nil) {
            self.address = address
            self.original = original
            self.parameters = parameters
            self.refusal = refusal
            self.refusedBy = refusedBy
            self.tag = tag
        }
    }
}
