import BlockingPool
import InternetMessage
import NetworkAddress
import SASL
import Synchronization

/// The accounts in their SQLite file. Other processes (the command line) may change it at any time; look-ups notice.
public final class AccountStore: Sendable {
    private let database: AccountDatabase
    private let cost: UInt
    let scramIterations: Int
    /// Makes the salts of users who do not exist.
    let decoySecret = (0..<32).map { _ in UInt8.random(in: 0...255) }
    private let cached: Mutex<(version: Int, directory: AccountDirectory)>
    let pool: BlockingPool
    let throttle: FailureThrottle
    let successes: SuccessCache
    /// What an unknown user's password is checked against, so that the time tells nothing.
    let decoyHash: String

    /// Opens the file, or makes it. Blocks.
    /// - Parameter pool: where password hashing runs.
    /// - Throws: ``AccountError``.
    public convenience init(path: String, pool: BlockingPool) throws(AccountError) {
        try self.init(path: path, pool: pool, cost: 0, throttle: FailureThrottle())
    }

    init(path: String, pool: BlockingPool, cost: UInt, throttle: FailureThrottle, successes: SuccessCache = SuccessCache(),
         scramIterations: Int = SCRAMKeys.defaultIterations) throws(AccountError) {
        database = try AccountDatabase(path: path)
        self.pool = pool
        self.cost = cost
        self.scramIterations = scramIterations
        self.throttle = throttle
        self.successes = successes
        decoyHash = try PasswordHash.make(String(UInt64.random(in: 0...UInt64.max)), cost: cost)
        cached = Mutex((try database.version(), AccountDirectory(try database.rows())))
    }

    /// All accounts, by name. Blocks.
    public func list() throws(AccountError) -> [Account] { try directory().accounts }
    /// Case is ignored. Blocks for a check whether the file changed, which is short.
    public func account(named name: String) throws(AccountError) -> Account? { try directory().entry(named: name)?.account }
    /// Who receives mail for the address and may send as it; the local part's case is ignored. Blocks, like ``account(named:)``.
    public func account(owning address: EmailAddress) throws(AccountError) -> Account? { try directory().account(owning: address) }
    /// The domains in which accounts have addresses. Blocks, like ``account(named:)``.
    public func domains() throws(AccountError) -> Set<DomainName> { try directory().domains }

    /// Makes an account. A name that is an address is the account's first address. Blocks.
    public func add(_ name: String, password: String, addresses: [EmailAddress] = []) throws(AccountError) {
        let name = try Self.checked(name)
        var owned = addresses.map(\.folded)
        if let own = EmailAddress(name)?.folded, !owned.contains(own) { owned.insert(own, at: 0) }
        let hash = try PasswordHash.make(password, cost: cost), scram = try scramText(password)
        try changing { () throws(AccountError) in try database.insert(name: name, hash: hash, scram: scram, addresses: owned.map(\.description)) }
    }

    /// Removes the account and its addresses; its mail stays. Blocks.
    public func remove(_ name: String) throws(AccountError) {
        try changing { () throws(AccountError) in try database.remove(name: name.lowercased()) }
    }

    /// Blocks. Log-ins with the old password fail from now on.
    public func setPassword(_ name: String, to password: String) throws(AccountError) {
        let hash = try PasswordHash.make(password, cost: cost), scram = try scramText(password)
        try changing { () throws(AccountError) in try database.setPassword(name: name.lowercased(), hash: hash, scram: scram) }
    }

    /// Gives an account from before SCRAM its keys, now that the password is seen. Blocks.
    func addSCRAMKeys(to name: String, hash: String, password: String) throws(AccountError) {
        guard let text = try scramText(password) else { return }
        try changing { () throws(AccountError) in try database.addSCRAM(text, name: name, hash: hash) }
    }

    private func scramText(_ password: String) throws(AccountError) -> String? {
        SCRAMKeys.derive(from: try PasswordHash.prepare(password), iterations: scramIterations)?.text
    }

    /// Blocks.
    public func addAddress(_ address: EmailAddress, to name: String) throws(AccountError) {
        try changing { () throws(AccountError) in try database.add(address: address.folded.description, to: name.lowercased()) }
    }

    /// Blocks.
    public func removeAddress(_ address: EmailAddress, from name: String) throws(AccountError) {
        try changing { () throws(AccountError) in try database.remove(address: address.folded.description, from: name.lowercased()) }
    }

    /// The accounts as the file has them now.
    func directory() throws(AccountError) -> AccountDirectory {
        let version = try database.version()
        if let current = cached.withLock({ $0.version == version ? $0.directory : nil }) { return current }
        return try reload()
    }

    private func changing(_ work: () throws(AccountError) -> Void) throws(AccountError) {
        try work()
        // This connection's own commits do not move its data version.
        _ = try reload()
    }

    @discardableResult
    private func reload() throws(AccountError) -> AccountDirectory {
        // The version is read first: a change in between makes the next look-up read again.
        let version = try database.version()
        let fresh = AccountDirectory(try database.rows())
        cached.withLock { $0 = (version, fresh) }
        return fresh
    }

    /// A log-in name names the mailbox's folder too, so it must be plain.
    static func checked(_ name: String) throws(AccountError) -> String {
        let folded = name.lowercased()
        let plain = folded.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 >= 0x80 || "._-+@=~'!#$%&*?^`{|}".utf8.contains($0) }
        guard !folded.isEmpty, folded.utf8.count <= 254, plain, !folded.hasPrefix("."), !folded.contains("@") || EmailAddress(folded) != nil
        else { throw .invalidName(String(name.prefix(80))) }
        return folded
    }
}
