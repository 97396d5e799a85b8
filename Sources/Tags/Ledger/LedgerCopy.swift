import Foundation
import GRDB

extension TagLedger {
    /// Copies a ledger's file as it stands, whoever writes to it meanwhile, so that something can be tried out on it.
    /// Blocks for the time of reading it.
    /// - Throws: ``TagLedgerError/cannotOpen(_:_:)``.
    public static func copy(from path: String, to target: String) throws(TagLedgerError) {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            let source = try DatabaseQueue(path: path, configuration: configuration)
            let copy = try DatabaseQueue(path: target)
            try source.backup(to: copy)
            try copy.close()
            try source.close()
        } catch { throw .cannotOpen(path, "\(error)") }
    }
}
