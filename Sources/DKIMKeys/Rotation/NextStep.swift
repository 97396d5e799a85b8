import Foundation

/// What the operator has to do for a key, and when.
public struct NextStep: Sendable, Hashable {
    public let text: String
    /// Lines for the zone file.
    public let publish: String?

    /// - Parameter now: decides whether a retiring key's date has come.
    public init(_ key: StoredKey, of keys: DomainKeys, now: Date) {
        let name = keys.recordName(key)?.text ?? key.selector
        let line = keys.recordName(key).map { ZoneLine.txt(key.record, at: $0) }
        switch key.state {
        case .staged:
            text = "publish this record now; the key signs once every name server of the zone has it (postern dkim check \(keys.domain))"
            publish = line
        case .active:
            text = "signs; its record stays published"
            publish = nil
        case .retiring:
            let date = key.keepUntil ?? now
            text = date > now
                ? "signs no more; keep its record until \(KeyTime.text(date)), then run: postern dkim retire \(keys.domain)"
                : "signs no more, and its date has come: run: postern dkim retire \(keys.domain)"
            publish = nil
        case .retired:
            text = "done with: remove the record at \(name), or replace its text by \"v=DKIM1; p=\" to say that it is revoked (RFC 6376 §3.6.1)"
            publish = nil
        }
    }
}
