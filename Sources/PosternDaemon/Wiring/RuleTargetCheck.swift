import Policy

/// Addresses that rules send mail to, held against those that there are.
///
/// What is wrong here is told and not refused: accounts come and go beside the rules, and a server must start after one is
/// gone. ``RecipientRouter`` says what happens to the mail.
enum RuleTargetCheck {
    /// A line for each target of ours that nobody has. Reads accounts, so it may block.
    static func remarks(_ rules: RuleSet, _ book: AddressBook) -> [String] {
        rules.targets.compactMap { target in
            guard book.isLocal(target.address), let places = try? book.destinations(of: target.address, from: nil), places.isEmpty else { return nil }
            let loss = target.action == "copy to" ? "the copy gets lost" : "mail that it matches is put off (451)"
            return "\(target.file):\(target.line): rule \"\(target.rule)\": \(target.action) <\(target.address)>: nobody here has that address; \(loss)"
        }
    }
}
