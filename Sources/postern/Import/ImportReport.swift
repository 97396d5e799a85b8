import Diagnostics
import PostfixImport

/// An import, told.
enum ImportReport {
    private struct Document: Encodable {
        let settings: String
        let rules: String?
        let parameters: [ImportedParameter]
        let accounts: [AccountDraft]
        let steps: [String]
    }

    static func json(_ result: PostfixImport) throws -> String {
        let document = Document(settings: result.settings, rules: result.rules, parameters: result.parameters, accounts: result.accounts, steps: result.steps)
        return try OutputJSON.text(document)
    }

    /// - Parameter file: where the settings were written; nil when they were not.
    static func text(_ result: PostfixImport, file: String?, checked: [String]) -> String {
        var out: [String] = []
        if file == nil {
            out += [result.settings]
            if let rules = result.rules { out += ["# policies/postfix.policy", rules] }
        }
        for fate in ImportedParameter.Fate.allCases {
            let rows = result.parameters.filter { $0.fate == fate }
            guard !rows.isEmpty else { continue }
            out.append("\(heading(fate)) (\(rows.count))")
            out += Diagnostics.TextTable(rows.map { ["  " + place($0), Plain.line($0.name + (isWord($0) ? "" : " = " + short($0.value))), Plain.line($0.text)] }).lines
            out.append("")
        }
        out += accounts(result.accounts) + steps(result.steps)
        if let file { out += ["Written: \(file)" + (result.rules == nil ? "" : ", and policies/postfix.policy beside it")] + checked }
        return out.joined(separator: "\n")
    }

    private static func heading(_ fate: ImportedParameter.Fate) -> String {
        switch fate {
        case .carried: "Carried over"
        case .isDefault: "The default here"
        case .notNeeded: "Not needed"
        case .notCarried: "Not carried: decide"
        case .notUnderstood: "Not understood"
        }
    }

    private static func place(_ parameter: ImportedParameter) -> String {
        let file = parameter.file.split(separator: "/").last.map(String.init) ?? parameter.file
        return file + (parameter.service.map { " \($0)" } ?? "")
    }

    /// One word of a list, whose whole is its value.
    private static func isWord(_ parameter: ImportedParameter) -> Bool { parameter.name.contains(": ") }

    private static func short(_ value: String) -> String { value.count <= 60 ? value : value.prefix(57) + "…" }

    private static func accounts(_ accounts: [AccountDraft]) -> [String] {
        guard !accounts.isEmpty else { return [] }
        return ["Accounts to be made; passwords are not carried"] + accounts.map { account in
            let addresses = account.addresses.isEmpty ? [account.name] : account.addresses
            return "  postern account add \(addresses[0])" + addresses.dropFirst().map { " --alias \($0)" }.joined() + "   # \(account.name) of \(account.origin)"
        } + [""]
    }

    private static func steps(_ steps: [String]) -> [String] {
        steps.isEmpty ? [] : ["Left to do"] + steps.map { "  - \($0)" } + [""]
    }
}
