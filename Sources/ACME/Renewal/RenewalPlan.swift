/// When a certificate is to be renewed, and when to try again after a failure. Times are seconds since 1970.
public enum RenewalPlan {
    /// Renewal is due when a third of the lifetime is left, brought forward by up to a twentieth of it, so that many
    /// installations do not come to the authority in the same minute.
    /// - Parameter share: 0 up to 1, the same each time for one certificate.
    public static func due(notBefore: Int64, notAfter: Int64, share: Double) -> Int64 {
        let life = max(notAfter - notBefore, 0)
        return notAfter - life / 3 - Int64(Double(life) / 20 * min(max(share, 0), 1))
    }

    /// A certificate's own share, of its serial number.
    public static func share(serial: String) -> Double {
        Double(serial.utf8.suffix(8).reduce(UInt64(0)) { ($0 &* 31 &+ UInt64($1)) % 1009 }) / 1009
    }

    /// Ten minutes, doubled with each failure up to a day: an authority counts failures (Let's Encrypt five an hour).
    /// Never sooner than the authority wants.
    /// - Parameter failures: in a row, this one included.
    public static func pause(failures: Int, retryAfter: Int?) -> Int64 {
        let own = Int64(600) << Int64(min(max(failures, 1) - 1, 8))
        return max(min(own, 86_400), Int64(retryAfter ?? 0))
    }
}
