import DKIM
import DMARC
import Foundation
import InternetMessage
import Milter
import NetworkAddress
import SPF

/// What an aggregate report will say of a message (RFC 9990), made once the rules have decided.
enum EvaluationRow {
    /// Nil for mail that DMARC was not asked about, or that has no author domain to report to, and for a message that is
    /// to come again: it is counted when it does.
    static func make(_ transaction: Transaction, decision: FilterAnswer, at date: Date = Date()) -> DMARCEvaluationRecord? {
        guard let result = transaction[DMARCKey.self], let from = result.fromDomain, let source = transaction.connection.clientAddress else { return nil }
        if case .tempfail = decision { return nil }
        let disposition = disposition(result, decision, transaction)
        return DMARCEvaluationRecord(
            time: Int(date.timeIntervalSince1970), source: source, headerFrom: from,
            envelopeFrom: transaction.sender.address?.domainText ?? "", envelopeTo: transaction.recipients.first?.address.domainText,
            result: result, disposition: disposition, override: override(result, disposition),
            dkim: (transaction[DKIMKey.self] ?? []).compactMap(signature), spf: spf(transaction[SPFKey.self]))
    }

    /// Only a failure is DMARC's doing: what other rules refuse is not reported as its disposition.
    private static func disposition(_ result: DMARCResult, _ decision: FilterAnswer, _ transaction: Transaction) -> DMARCEvaluationRecord.Disposition {
        if result.verdict == .pass { return .pass }
        guard result.verdict == .fail else { return .none }
        switch decision {
        case .reject, .discard: return .reject
        case .continue, .accept, .tempfail: break
        }
        return transaction.quarantineReason != nil || transaction.deliveryHints.folder != nil ? .quarantine : .none
    }

    private static func override(_ result: DMARCResult, _ disposition: DMARCEvaluationRecord.Disposition) -> DMARCEvaluationRecord.Override? {
        guard result.verdict == .fail, let policy = result.policy else { return nil }
        if disposition.rawValue != policy.applied.rawValue { return .localPolicy }
        return policy.applied == policy.published ? nil : .testMode
    }

    private static func signature(_ signature: DKIMSignatureResult) -> DMARCEvaluationRecord.DKIM? {
        guard let domain = signature.domain else { return nil }
        return .init(domain: domain.text, selector: signature.selector, result: signature.verdict.rawValue,
                     reason: signature.verdict == .pass ? nil : String(signature.reason.prefix(200)))
    }

    /// RFC 9990 §3.1.1.11: one SPF result, of the identity that DMARC uses.
    private static func spf(_ results: SPFResults?) -> [DMARCEvaluationRecord.SPF] {
        guard let result = results?.mailFrom else { return [] }
        return [.init(domain: String(result.domainText.prefix(255)), scope: result.identity == .helo ? .helo : .mfrom, result: result.verdict.rawValue,
                      reason: result.verdict == .pass ? nil : String(result.reason.prefix(200)))]
    }
}
