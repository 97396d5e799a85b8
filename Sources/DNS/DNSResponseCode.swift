/// The RCODE of a DNS message (RFC 1035 §4.1.1).
public enum DNSResponseCode {
    /// Its name as tools print it: `SERVFAIL`.
    public static func name(_ code: Int) -> String {
        switch code {
        case 1: "FORMERR"
        case 2: "SERVFAIL"
        case 4: "NOTIMP"
        case 5: "REFUSED"
        default: "RCODE \(code)"
        }
    }
}
