import Foundation
import InternetMessage

/// Looks into a Maildir as any program may: files in `new` and `cur`.
struct DeliveredMail: Sendable {
    let maildir: String

    /// The message of that Message-ID, waited for.
    func find(_ id: String, within patience: Duration = .seconds(20)) async -> Message? {
        let deadline = ContinuousClock.now + patience
        while true {
            if let found = look(for: id) { return found }
            guard ContinuousClock.now < deadline else { return nil }
            try? await Task.sleep(for: .milliseconds(25))
        }
    }

    private func look(for id: String) -> Message? {
        for folder in ["new", "cur"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(maildir)/\(folder)")) ?? [] {
                guard let data = FileManager.default.contents(atPath: "\(maildir)/\(folder)/\(name)") else { continue }
                let message = Message(parsing: Array(data))
                if message.header.first("Message-ID")?.value == "<\(id)>" { return message }
            }
        }
        return nil
    }

    /// `spf=pass dkim=pass dmarc=pass`: each method of the topmost Authentication-Results once, its best result.
    static func verdicts(of message: Message) -> String {
        guard let results = message.header.first(AuthenticationResults.fieldName).flatMap({ AuthenticationResults($0) }) else { return "no results" }
        var seen: [String] = []
        for method in ["auth", "spf", "dkim", "dmarc"] {
            let all = results.results.filter { $0.method == method }
            guard let first = all.first(where: { $0.result == "pass" }) ?? all.first else { continue }
            seen.append("\(method)=\(first.result)")
        }
        return seen.joined(separator: " ")
    }
}
