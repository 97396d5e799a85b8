/// The people among the system's users (passwd(5)), into whose mailboxes Postfix's local(8) delivers.
enum SystemUsers {
    /// As Debian's adduser.conf gives them to people.
    private static let people = 1000...59_999

    static func carry(_ source: ImportSource, _ draft: inout Draft) {
        var ignored: [String] = []
        let domains = Treatments.domainList(source.postfix.value("mydestination"), source, &ignored).filter { $0.contains(".") && !$0.hasPrefix("localhost.") }
        // Whoever has accounts elsewhere does not deliver to these.
        guard draft.accounts.isEmpty, !domains.isEmpty, let text = try? source.read("/etc/passwd") else { return }
        let host = source.postfix.value("myhostname").lowercased()
        let ordered = domains.filter { $0 != host } + domains.filter { $0 == host }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 7, let uid = Int(fields[2]), people.contains(uid), !fields[6].hasSuffix("nologin"), !fields[6].hasSuffix("/false") else { continue }
            draft.accounts.append(AccountDraft(name: String(fields[0]), addresses: ordered.map { "\(fields[0].lowercased())@\($0)" }, origin: "/etc/passwd"))
        }
    }
}
