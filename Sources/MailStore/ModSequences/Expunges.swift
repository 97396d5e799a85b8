/// Which messages went after a mod-sequence (RFC 7162 §3.2.5).
public struct Expunges: Sendable {
    /// What went at or before it is not remembered.
    let horizon: UInt64
    /// Mod-sequences ascending.
    let vanished: [(uid: UInt32, modSequence: UInt64)]

    init(horizon: UInt64 = 0, vanished: [(uid: UInt32, modSequence: UInt64)] = []) {
        self.horizon = horizon
        self.vanished = vanished
    }

    /// UIDs that went later than the mod-sequence, ascending.
    /// - Returns: nil when that reaches further back than is remembered: every UID that is not there may have gone since.
    public func since(_ modSequence: UInt64) -> [UInt32]? {
        guard modSequence >= horizon else { return nil }
        var low = 0, high = vanished.count
        while low < high {
            let middle = (low + high) / 2
            if vanished[middle].modSequence <= modSequence { low = middle + 1 } else { high = middle }
        }
        return vanished[low...].map(\.uid).sorted()
    }
}
