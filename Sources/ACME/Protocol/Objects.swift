/// What a directory names (RFC 8555 §7.1.1).
struct DirectoryObject: Decodable {
    struct Meta: Decodable {
        var termsOfService: String?
        var externalAccountRequired: Bool?
    }
    var newNonce: String
    var newAccount: String
    var newOrder: String
    var meta: Meta?
}

/// RFC 8555 §7.1.3.
struct OrderObject: Decodable {
    enum Status: String, Decodable { case pending, ready, processing, valid, invalid }
    var status: Status
    var authorizations: [String]
    var finalize: String
    var certificate: String?
    var error: ProblemObject?
}

/// RFC 8555 §7.1.4.
struct AuthorizationObject: Decodable {
    enum Status: String, Decodable { case pending, valid, invalid, deactivated, expired, revoked }
    struct Identifier: Decodable { var value: String }
    var status: Status
    var identifier: Identifier
    var challenges: [ChallengeObject]
}

/// RFC 8555 §8.
struct ChallengeObject: Decodable {
    var type: String
    var url: String
    var token: String?
    var error: ProblemObject?
}

/// RFC 7807, RFC 8555 §6.7.
struct ProblemObject: Decodable {
    struct Part: Decodable {
        struct Identifier: Decodable { var value: String? }
        var detail: String?
        var identifier: Identifier?
    }
    var type: String?
    var detail: String?
    var subproblems: [Part]?

    /// `rateLimited`
    var kind: String { type.map { String($0.split(separator: ":").last ?? "") } ?? "" }

    /// In words, bounded: the authority's text goes to the log.
    var text: String {
        let parts = (subproblems ?? []).prefix(5).compactMap { part in part.detail.map { (part.identifier?.value).map { "\($0): " } ?? "" + $0 } }
        return String(([detail ?? type ?? "no reason given"] + parts).joined(separator: "; ").prefix(600))
    }
}
