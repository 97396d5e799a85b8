/// How much work one evaluation may cause (RFC 7208 §4.6.4 and §11.1).
public struct SPFLimits: Sendable, Hashable {
    /// Terms that ask the DNS: include, a, mx, ptr, exists, redirect. The RFC says 10.
    public var lookupTerms: Int
    /// Questions answered with nothing. The RFC recommends 2.
    public var voidLookups: Int
    /// MX records of one mx term (more are a permerror), and PTR records of the client (more are ignored). The RFC says 10.
    public var names: Int
    /// For the whole evaluation; beyond it the result is temperror. The RFC asks for at least 20 seconds.
    public var deadline: Duration

    public init(lookupTerms: Int = 10, voidLookups: Int = 2, names: Int = 10, deadline: Duration = .seconds(20)) {
        self.lookupTerms = lookupTerms
        self.voidLookups = voidLookups
        self.names = names
        self.deadline = deadline
    }
}
