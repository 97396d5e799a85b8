/// The content of an Authentication-Results field (RFC 8601 §2.2).
public struct AuthenticationResults: Sendable, Hashable {
    public static let fieldName = "Authentication-Results"

    /// Who did the checks; compare without regard to case.
    public let authservID: String
    /// 1 when the field names none.
    public let version: Int
    /// Empty stands for `none`: no check was done.
    public let results: [Result]

    public init(authservID: String, version: Int = 1, results: [Result] = []) {
        self.authservID = authservID
        self.version = version
        self.results = results
    }

    /// One method's outcome: `dkim=pass reason="good" header.d=example.org`.
    public struct Result: Sendable, Hashable {
        /// In lower case: `spf`, `dkim`, `dmarc`, `auth`, `iprev`.
        public let method: String
        /// The method's own version, as in `dkim/1`; 1 when not named.
        public let methodVersion: Int
        /// In lower case: `pass`, `fail`, `none`.
        public let result: String
        public let reason: String?
        public let properties: [Property]

        public init(_ method: String, _ result: String, reason: String? = nil, properties: [Property] = [], methodVersion: Int = 1) {
            self.method = method.lowercased()
            self.result = result.lowercased()
            self.reason = reason
            self.properties = properties
            self.methodVersion = methodVersion
        }

        /// The first value of `ptype.property`, case ignored.
        public func value(_ ptype: String, _ property: String) -> String? {
            properties.first { $0.ptype == ptype.lowercased() && $0.property == property.lowercased() }?.value
        }
    }

    /// `ptype.property=pvalue`: `smtp.mailfrom=user@example.org`, `header.d=example.org`, `policy.iprev=192.0.2.1`.
    public struct Property: Sendable, Hashable {
        public let ptype: String
        public let property: String
        public let value: String

        public init(_ ptype: String, _ property: String, _ value: String) {
            self.ptype = ptype.lowercased()
            self.property = property.lowercased()
            self.value = value
        }
    }

    /// Whether the field speaks in that host's name: case is ignored, and one trailing dot.
    public func isFrom(_ authservID: String) -> Bool { Self.folded(self.authservID) == Self.folded(authservID) }

    private static func folded(_ id: String) -> String {
        let id = id.lowercased()
        return id.hasSuffix(".") ? String(id.dropLast()) : id
    }
}
