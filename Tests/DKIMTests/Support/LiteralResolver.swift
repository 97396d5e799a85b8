import DNS
import NetworkAddress
import Synchronization

/// A resolver made of literals: names not listed do not exist.
final class LiteralResolver: Resolver {
    enum Answer: Sendable {
        case txt([String])
        case noData
        case failure
        /// Never answers before the task is cancelled, and not even then when `deaf`.
        case silence
    }

    private let answers: [String: Answer]
    private let asked = Mutex<[String]>([])

    init(_ answers: [String: Answer]) { self.answers = answers }

    var questions: [String] { asked.withLock { $0 } }

    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        asked.withLock { $0.append(question.description) }
        switch question.type == .txt ? answers[question.name.text] : nil {
        case .txt(let texts): return DNSResponse(.records(texts.map(Self.rdata)))
        case .noData: return DNSResponse(.noData)
        case .failure: return DNSResponse(.temporaryFailure("SERVFAIL"))
        case .silence:
            // Far past every deadline of these tests; ends with the cancellation.
            try? await Task.sleep(for: .seconds(3600))
            return DNSResponse(.temporaryFailure("cancelled"))
        case nil: return DNSResponse(.nameError)
        }
    }

    /// Character-strings of at most 255 octets each.
    private static func rdata(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var out: [UInt8] = []
        repeat {
            let piece = rest.prefix(255)
            out.append(UInt8(piece.count))
            out += piece
            rest = rest.dropFirst(piece.count)
        } while !rest.isEmpty
        return out
    }
}
