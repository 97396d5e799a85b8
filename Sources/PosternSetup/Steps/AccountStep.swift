import Accounts
import BlockingPool
import Foundation
import InternetMessage
import PosternDaemon

/// The first account, with a password that is shown once.
struct AccountStep: SetupStep {
    let address: EmailAddress
    let settings: Settings
    var item: String { "account" }
    private var file: String { settings[Known.dataDirectory].path + "/accounts.sqlite" }

    func look() throws -> SetupState {
        guard NewFile.exists(file) else { return .missing("\(address), with a password of its own") }
        let accounts = try AccountStore(path: file, pool: BlockingPool(threads: 1, name: "setup"))
        if let owner = try accounts.account(owning: address) { return .kept(owner.name) }
        return .missing("\(address), with a password of its own")
    }

    /// Gives up root for good: it is the last step.
    func perform() throws -> [String] {
        let password = AccountStore.generatePassword()
        try LiveParts.openAccounts(settings).add(address.folded.description, password: password, addresses: [address])
        return ["Log-in of \(address.folded), shown this once: \(password)"]
    }
}
