import BlockingPool
import InternetMessage
import NetworkAddress
import SASL
import Synchronization

/// The accounts in their SQLite file. Other processes (the command line) may change it at any time; look-ups notice.
public final class AccountStore: Sendable {
    let database: AccountDatabase
    private let cost: UInt
    let scramIterations: Int
    /// Makes the salts of users who do not exist.
    let decoySecret = (0..<32).map { _ in UInt8.random(in: 0...255) }
    private let cached: Mutex<Cached>
    /// How long what was looked at counts as what is there.
    private let lookInterval: Duration
    private let file = Mutex<PasswdFileReader?>(nil)
    private let observer = Mutex<@Sendable (LogInEvent) -> Void>({ _ in })
    /// When the use of an app password was last written down, by its id.
    let noted = Mutex<[String: Int]>([:])
    let pool: BlockingPool
    let throttle: FailureThrottle
    let successes: SuccessCache
    /// What an unknown user's password is checked against, so that the time tells nothing.
    let decoyHash: String

    private struct Cached {
        var version: Int
        var reader: PasswdFileReader?
        var stamp: PasswdFileReader.Stamp?
        var looked = ContinuousClock.now
        var directory: AccountDirectory
    }

    /// Opens the file, or makes it. Blocks.
    /// - Parameters:
    ///   - pool: where password hashing runs.
    ///   - lookInterval: how long look-ups may go without asking the files whether they changed. Every question takes the
    ///     database's one connection, for which the recipients of a busy server would queue.
    /// - Throws: ``AccountError``.
    public convenience init(path: String, pool: BlockingPool, lookInterval: Duration = .zero) throws(AccountError) {
        try self.init(path: path, pool: pool, cost: 0, throttle: FailureThrottle(), lookInterval: lookInterval)
    }

    init(path: String, pool: BlockingPool, cost: UInt, throttle: FailureThrottle, successes: SuccessCache = SuccessCache(),
         scramIterations: Int = SCRAMKeys.defaultIterations, lookInterval: Duration = .zero) throws(AccountError) {
        self.lookInterval = lookInterval
        database = try AccountDatabase(path: path)
        self.pool = pool
        self.cost = cost
        self.scramIterations = scramIterations
        self.throttle = throttle
        self.successes = successes
        decoyHash = try PasswordHash.make(String(UInt64.random(in: 0...UInt64.max)), cost: cost)
        cached = Mutex(Cached(version: try database.version(), directory: AccountDirectory(try database.rows(), appPasswords: try database.appPasswords())))
    }

    /// All accounts, by name. Blocks.
    public func list() throws(AccountError) -> [Account] { try directory().accounts }
    /// All accounts with what they log in with, by name. Blocks.
    public func summaries() throws(AccountError) -> [AccountSummary] { try directory().summaries }
    /// Case is ignored. Blocks for a check whether the file changed, which is short.
    public func account(named name: String) throws(AccountError) -> Account? { try directory().entry(named: name)?.account }
    /// Who receives mail for the address and may send as it; the local part's case is ignored. Blocks, like ``account(named:)``.
    public func account(owning address: EmailAddress) throws(AccountError) -> Account? { try directory().account(owning: address) }
    /// The domains in which accounts have addresses. Blocks, like ``account(named:)``.
    public func domains() throws(AccountError) -> Set<DomainName> { try directory().domains }

    /// Makes an account. A name that is an address is the account's first address. Blocks.
    public func add(_ name: String, password: String, addresses: [EmailAddress] = []) throws(AccountError) {
        let name = try Self.checked(name)
        try refuseReadOnly(name)
        var owned = addresses.map(\.folded)
        if let own = EmailAddress(name)?.folded, !owned.contains(own) { owned.insert(own, at: 0) }
        let hash = try hash(password), scram = try scramText(password, like: nil)
        try changing { () throws(AccountError) in try database.insert(name: name, hash: hash, scram: scram, addresses: owned.map(\.description)) }
    }

    /// Removes the account and its addresses; its mail stays. Blocks.
    public func remove(_ name: String) throws(AccountError) {
        try refuseReadOnly(name)
        try changing { () throws(AccountError) in try database.remove(name: name.lowercased()) }
    }

    /// Blocks. Log-ins with the old password fail from now on.
    public func setPassword(_ name: String, to password: String) throws(AccountError) {
        try refuseReadOnly(name)
        let hash = try hash(password), scram = try scramText(password, like: try directory().entry(named: name))
        try changing { () throws(AccountError) in try database.setPassword(name: name.lowercased(), hash: hash, scram: scram) }
    }

    /// Gives an account from before SCRAM its keys, now that the password is seen. Blocks.
    func addSCRAMKeys(to entry: AccountDirectory.Entry, hash: String, password: String) throws(AccountError) {
        guard let text = try scramText(password, like: entry) else { return }
        try changing { () throws(AccountError) in try database.addSCRAM(text, name: entry.account.name, hash: hash) }
    }

    func hash(_ password: String) throws(AccountError) -> String { try PasswordHash.make(password, cost: cost) }

    /// With a new salt, unless there are app passwords, whose keys must share it.
    private func scramText(_ password: String, like entry: AccountDirectory.Entry?) throws(AccountError) -> String? {
        let common = entry?.appPasswords.lazy.filter { $0.facts.revoked == nil }.compactMap(\.scram).first
        return SCRAMKeys.derive(from: try PasswordHash.prepare(password), salt: common?.salt, iterations: common?.iterations ?? scramIterations)?.text
    }

    private func refuseReadOnly(_ name: String) throws(AccountError) {
        if try directory().entry(named: name)?.isFromFile == true { throw .readOnly(name.lowercased()) }
    }

    /// Blocks.
    public func addAddress(_ address: EmailAddress, to name: String) throws(AccountError) {
        try refuseReadOnly(name)
        try changing { () throws(AccountError) in try database.add(address: address.folded.description, to: name.lowercased()) }
    }

    /// Blocks.
    public func removeAddress(_ address: EmailAddress, from name: String) throws(AccountError) {
        try refuseReadOnly(name)
        try changing { () throws(AccountError) in try database.remove(address: address.folded.description, from: name.lowercased()) }
    }

    /// What the account may send, where that is not what the settings say for all. Blocks, like ``account(named:)``.
    public func limit(of name: String) throws(AccountError) -> AccountLimit? { try directory().entry(named: name)?.limit }

    /// - Parameter limit: nil for that of the settings. Blocks.
    public func setLimit(_ limit: AccountLimit?, of name: String) throws(AccountError) {
        try refuseReadOnly(name)
        try changing { () throws(AccountError) in try database.setLimit(limit, of: name.lowercased()) }
    }

    /// The accounts as they were read last; does not look at the file.
    var cachedDirectory: AccountDirectory { cached.withLock { $0.directory } }

    /// The accounts as the files have them now.
    func directory() throws(AccountError) -> AccountDirectory {
        let reader = file.withLock { $0 }, now = ContinuousClock.now
        if lookInterval > .zero, let recent = cached.withLock({ $0.reader === reader && now - $0.looked < lookInterval ? $0.directory : nil }) { return recent }
        let version = try database.version()
        let current = cached.withLock { cached -> AccountDirectory? in
            guard cached.version == version, cached.reader === reader, reader?.hasChanged(since: cached.stamp) != true else { return nil }
            cached.looked = now
            return cached.directory
        }
        if let current { return current }
        return try reload()
    }

    func changing(_ work: () throws(AccountError) -> Void) throws(AccountError) {
        try work()
        // This connection's own commits do not move its data version.
        _ = try reload()
    }

    @discardableResult
    private func reload() throws(AccountError) -> AccountDirectory {
        // What tells of a change is read first: a change in between makes the next look-up read again.
        let version = try database.version()
        let reader = file.withLock { $0 }, found = reader?.current()
        let fresh = AccountDirectory(try database.rows(), appPasswords: try database.appPasswords(), file: reader?.path ?? "", lines: found?.lines ?? [],
                                     fileDomains: reader?.domains ?? [])
        let before = cached.withLock { cached in
            defer { cached = Cached(version: version, reader: reader, stamp: found?.stamp, directory: fresh) }
            return cached.directory.faults
        }
        let news = (found?.news ?? []) + (fresh.faults == before ? [] : fresh.faults)
        if !news.isEmpty { report(.passwdFile(news)) }
        return fresh
    }

    /// Reads a passwd-file beside the database from now on, and again whenever it changes. Blocks.
    /// - Parameters:
    ///   - path: nil for none.
    ///   - domains: a name without `@` receives as itself in each of these.
    /// - Returns: the lines that do not hold; the observer hears of them too.
    @discardableResult
    public func readPasswdFile(_ path: String?, domains: [DomainName]) throws(AccountError) -> [PasswdFileFault] {
        let reader = path.map { PasswdFileReader(path: $0, domains: domains) }
        let faults = reader?.current().news ?? []
        file.withLock { $0 = reader }
        let fresh = try reload()
        if !faults.isEmpty { report(.passwdFile(faults)) }
        return faults + fresh.faults
    }

    /// What is wrong with a passwd-file, no accounts being open. Blocks.
    public static func faults(ofPasswdFile path: String) -> [PasswdFileFault] { PasswdFileReader(path: path, domains: []).current().news }

    /// - Parameter observer: called on any thread, soon done.
    public func observe(_ observer: @escaping @Sendable (LogInEvent) -> Void) { self.observer.withLock { $0 = observer } }

    func report(_ event: LogInEvent) { observer.withLock { $0 }(event) }

    /// A log-in name names the mailbox's folder too, so it must be plain.
    static func checked(_ name: String) throws(AccountError) -> String {
        let folded = name.lowercased()
        let plain = folded.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 >= 0x80 || "._-+@=~'!#$%&*?^`{|}".utf8.contains($0) }
        guard !folded.isEmpty, folded.utf8.count <= 254, plain, !folded.hasPrefix("."), !folded.contains("@") || EmailAddress(folded) != nil
        else { throw .invalidName(String(name.prefix(80))) }
        return folded
    }
}
