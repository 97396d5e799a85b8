import COpenSSL

/// OpenSSL's error queue, which belongs to the thread: clear it before a call, read it after the call failed.
enum OpenSSLErrors {
    static func clear() { ERR_clear_error() }

    /// Takes all reasons off the queue, the first (deepest) one first; empty when there is none.
    static func take() -> String {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(String(code, radix: 16))"
            if reasons.last != reason, reasons.count < 4 { reasons.append(reason) }
        }
        return reasons.joined(separator: "; ")
    }
}
