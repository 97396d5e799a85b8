import NetworkAddress

extension DomainName {
    /// The name as zone files and resolver libraries write it (RFC 1035 §5.1): absolute, octets that would mean
    /// something there as `\DDD`. Names made from what a client said (SPF's `%{h}`) may hold any of them.
    public var presentation: String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            // " ( ) ; @ $ \ and whatever is not printable
            case 34, 36, 40, 41, 59, 64, 92, 0...32, 127...: out += "\\" + String(1000 + Int(byte)).dropFirst()
            default: out.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return out + "."
    }
}
