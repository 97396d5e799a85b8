/// The parts of a rewritten local part. After the tag stands `=`, `+` or `-`; everywhere else the separator is `=`.
enum SRSAddress {
    enum Tag { case first, guarded }

    static func tag(_ local: String) -> Tag? {
        let head = local.utf8.prefix(5).map { $0 }
        guard head.count == 5, "=+-".utf8.contains(head[4]) else { return nil }
        switch String(decoding: head[0..<4], as: UTF8.self).uppercased() {
        case "SRS0": return .first
        case "SRS1": return .guarded
        default: return nil
        }
    }

    /// `SRS0=HHHH=TT=host=local`; the local part may hold more of the separator.
    static func first(_ local: String) -> (hash: String, stamp: String, host: String, local: String)? {
        let parts = local.dropFirst(5).split(separator: "=", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return (parts[0], parts[1], parts[2], parts[3])
    }

    /// `SRS1=HHHH=host=rest`, the rest being what followed `SRS0` at that host, its separator with it.
    static func guarded(_ local: String) -> (hash: String, host: String, rest: String)? {
        let parts = local.dropFirst(5).split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return (parts[0], parts[1], parts[2])
    }
}

/// Days since 1970 modulo 1024, as two digits of base 32 (RFC 4648 §6).
enum SRSTimestamp {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

    static func text(_ now: Int) -> String {
        let day = now / 86_400 & 1023
        return String([digits[day >> 5], digits[day & 31]])
    }

    static func isFresh(_ text: String, now: Int, maximumAge: Int) -> Bool {
        let values = text.uppercased().compactMap { digits.firstIndex(of: $0) }
        guard text.count == 2, values.count == 2 else { return false }
        return (now / 86_400 - (values[0] << 5 | values[1])) & 1023 <= maximumAge
    }
}
