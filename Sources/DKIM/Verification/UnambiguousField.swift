import InternetMessage

extension HeaderField {
    /// Whether everybody reads the same octets in the field.
    ///
    /// No NUL, where text ends for C; no CR or LF but in folding, which are blanks to libopendkim and line ends to
    /// others; no tab before the colon, with which libopendkim does not take the line for a field at all.
    var isUnambiguous: Bool {
        var seenColon = false
        var i = 0
        while i < bytes.count {
            switch bytes[i] {
            case 0, 10: return false
            case 9 where !seenColon: return false
            case 58: seenColon = true
            case 13:
                guard i + 2 < bytes.count, bytes[i + 1] == 10, bytes[i + 2] == 32 || bytes[i + 2] == 9 else { return false }
                i += 2
            default: break
            }
            i += 1
        }
        return true
    }
}
