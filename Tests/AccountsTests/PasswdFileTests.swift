import Foundation
import InternetMessage
import NetworkAddress
import SASL
import Testing
@testable import Accounts

/// Hashes of "pässword 1", made by Dovecot 2.3.19's `doveadm pw`.
private let doveadmHashes = [
    "{PLAIN}pässword 1", "{PLAIN.B64}cMOkc3N3b3JkIDE=", "{CLEARTEXT}pässword 1",
    "{CRYPT}$2y$05$k6xmdAg4p8qDfK3hd2OkS.VA/Glvf52VlpOzRohhIuQZnAbv5T62S",
    "$2y$05$k6xmdAg4p8qDfK3hd2OkS.VA/Glvf52VlpOzRohhIuQZnAbv5T62S",
    "{SHA256-CRYPT}$5$rounds=1000$5P14f3zWihWvvcMg$mrJPrKjzAKGn1ecbjURnGrjdQQz7v8/uNVmT1TgC99D",
    "{SHA512-CRYPT}$6$rounds=1000$oNwisXEHvGVjfzxe$10YRbhNl/lLMoYi9cjqK7jbtEs4WUoEAPDaR8VVBv/ogF4QTeocFpez3pVOOQArjSeTyjYSJQNFI/uu5/gNjR1",
    "{BLF-CRYPT}$2y$05$ZfQKhuINRI1NWIhWdCdopuFBWw9Fc5cSmCMRGthZBVUY6HmclG86a",
    "{MD5-CRYPT}$1$eOlVMiHY$.iBxG4rmVloa8iBt/R8Hb/", "{DES-CRYPT}HXmzn/c7iACNU",
    "{SHA}wBFJYYjnh5eS5Eft5JORpd7Gkko=", "{sha1}wBFJYYjnh5eS5Eft5JORpd7Gkko=", "{SHA256}f7RERuWhObO3oHciFhtpNCnGhD0FNBL7CyE3AkK4vbA=",
    "{SHA512.HEX}08a590d5b15efba1ee5747e457bf0aae1447e5b3a31556e41c19ddf2f4d6c3695cdd8545c7c5f623ac2d190a15a5956e56c7ed0bef912cee463c8bddec7e0bca",
    "{SSHA}QlMNLfUGDUSWd5fRBHQrRsIU03Pbdnef", "{SSHA256}zZIP8MJxS12GmL5BalZAQw8nZRs+sfUWG65crBfJSSqwWIbC",
    "{SSHA256.HEX}c970bcdb85c3197ec2708e6d966583e961dea749df62007133089eb09834c5aa8faf81f1",
    "{SSHA512}GmnTAqKW2wGXasHQhlRPwRtqXuqIa1weCLSVSTFj2FcsK6Ovk8qKl/RsFmCwwRQ+iRZ1oO0/xIMOHX/Uvc1WjEp2JI4=",
    "{SCRAM-SHA-256}4096,ZGOjHnuvxhXTXV65eUe3+A==,F/qesDaxNOx7wqbLroFNHRomRNvihcPLIaFDAvOnw5k=,EwEBfAzCUTKLta9X4JHd+MOyYArySq4a3mR2ERGi1LA=",
]

@Suite struct PasswordSchemeTests {
    @Test(arguments: doveadmHashes) func hashesOfDoveadm(_ field: String) throws {
        let scheme = try PasswordScheme(dovecot: field)
        #expect(scheme.matches("pässword 1"))
        // DES looks at eight octets only, and a missing end is seen by the others.
        #expect(!scheme.matches("password 1") && !scheme.matches("päs") && !scheme.matches(""))
        // Typed on a machine that decomposes.
        #expect(scheme.matches("pa\u{308}ssword 1"))
    }

    @Test func ourOwnHashesAreCrypt() throws {
        let hash = try PasswordHash.make("x", cost: 1)
        #expect(try PasswordScheme(dovecot: "{CRYPT}" + hash).matches("x"))
    }

    @Test(arguments: ["", "!", "*", "{CRYPT}!$6$abc$def", "{CRYPT}*"]) func locked(_ field: String) throws {
        let scheme = try PasswordScheme(dovecot: field)
        #expect(scheme == .locked && !scheme.matches("") && !scheme.matches("!"))
    }

    @Test(arguments: [
        ("{ARGON2ID}$argon2id$v=19$m=65536", "not a scheme"), ("{PLAIN", "libcrypt"), ("{PLAIN}", "no {SCHEME}"), ("{SSHA256}AAAA", "more than 32 octets, and here are 3"),
        ("{SHA256}????", "base64"), ("{SHA256.HEX}0g", "hexadecimal"), ("{SHA.ROT13}aa", "b64 or hex"), ("{SHA512-CRYPT}$5$a$b", "begins with $6$"),
        ("{SCRAM-SHA-256}4096,a,b", "StoredKey"), ("{CRYPT}$2y$31$k6xmdAg4p8qDfK3hd2OkS.VA/Glvf52VlpOzRohhIuQZnAbv5T62S", "ten seconds"),
        ("{CRYPT}$6$rounds=999999999$abcdefgh$x", "ten seconds"), ("{CRYPT}$zz$abc", "libcrypt"),
        ("{SCRAM-SHA-256}1,ZGOjHnuvxhXTXV65eUe3+A==,F/qesDaxNOx7wqbLroFNHRomRNvihcPLIaFDAvOnw5k=,EwEBfAzCUTKLta9X4JHd+MOyYArySq4a3mR2ERGi1LA=", "4096"),
    ]) func whatIsWrongIsSaid(_ field: String, _ words: String) {
        do throws(PasswordScheme.Fault) {
            let scheme = try PasswordScheme(dovecot: field)
            Issue.record("\(field) was taken as \(scheme)")
        } catch { #expect(error.text.contains(words), "\(error.text)") }
    }
}

@Suite struct PasswdFileTests {
    @Test func linesAsDovecotHasThem() throws {
        let file = PasswdFile("""
            # a comment
            alice@home.example:{PLAIN}a:1000:1000::/home/alice::userdb_quota_rule=*:storage=100M userdb_mail=maildir:~/x
            bob:{PLAIN}b\r

            :{PLAIN}nobody
            Carol:::::
            dave:{PLAIN}d:::::: nologin
            erin:{PLAIN}e::::::allow_nets=192.0.2.0/24,2001:db8::/32,local
            """, file: "users")
        #expect(file.faults.isEmpty)
        #expect(file.lines.map(\.name) == ["alice@home.example", "bob", "carol", "dave", "erin"])
        #expect(file.lines.map(\.number) == [2, 3, 6, 7, 8])
        #expect(file.lines.map(\.secret) == [.plain("a"), .plain("b"), .locked, .locked, .plain("e")])
        #expect(file.lines.last?.networks?.count == 4)
    }

    @Test func aWrongLineTakesNoOtherDown() {
        let file = PasswdFile("""
            alice:{PLAIN}a
            bob
            ../x:{PLAIN}x
            carol:{ROT13}x
            alice:{PLAIN}z
            dave:{PLAIN}d::::::nopassword
            erin:{PLAIN}e::::::allow_nets=everywhere
            \(String(repeating: "f", count: 5000)):{PLAIN}f
            frank:{PLAIN}f
            """, file: "users")
        #expect(file.lines.map(\.name) == ["alice", "frank"])
        #expect(file.faults.map(\.line) == [2, 3, 4, 5, 6, 7, 8])
        #expect(file.faults.first?.description.hasPrefix("users:2: ") == true)
        // No password stands in a message.
        #expect(!file.faults.contains { $0.text.contains("{PLAIN}z") })
    }
}

@Suite struct PasswdFileAccountTests {
    private func store(_ text: String) throws -> (TemporaryAccounts, String) {
        let temporary = try TemporaryAccounts(throttle: FailureThrottle(settings: .init(firstPause: .zero)))
        let path = temporary.folder + "/users"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return (temporary, path)
    }
    private func logIn(_ temporary: TemporaryAccounts, _ user: String, _ password: String, from client: String? = nil) async -> Bool {
        if case .success = await temporary.store.authenticate(user: user, password: password, client: client.flatMap { IPAddress($0) }) { return true }
        return false
    }
    private let home = DomainName("home.example").map { [$0] } ?? []

    @Test func itsUsersAreAccounts() async throws {
        let (temporary, path) = try store("alice@home.example:{PLAIN}a\nbob:\(doveadmHashes[7])\n")
        try temporary.store.readPasswdFile(path, domains: home)
        #expect(await logIn(temporary, "Alice@home.example", "a"))
        #expect(await logIn(temporary, "bob", "pässword 1"))
        #expect(!(await logIn(temporary, "bob", "a")))
        #expect(try temporary.store.account(owning: #require(EmailAddress("bob@home.example")))?.name == "bob")
        #expect(try temporary.store.summaries().map(\.isFromFile) == [true, true])
        // Bob's password can only be compared: SCRAM would lock him out.
        #expect(!temporary.store.offersSCRAM)
        #expect(throws: AccountError.readOnly("bob")) { try temporary.store.setPassword("Bob", to: "x") }
        #expect(throws: AccountError.readOnly("bob")) { try temporary.store.remove("bob") }
        #expect(throws: AccountError.readOnly("bob")) { try temporary.store.add("bob", password: "x") }
        try temporary.store.readPasswdFile(nil, domains: [])
        #expect(!(await logIn(temporary, "bob", "pässword 1")))
    }

    @Test func changesAreTakenUpAndFaultsTold() async throws {
        let (temporary, path) = try store("alice:{PLAIN}a\n")
        let log = EventLog()
        temporary.store.observe { log.add($0) }
        #expect(try temporary.store.readPasswdFile(path, domains: home).isEmpty)
        try "alice:{PLAIN}new\nbob\ncarol:{PLAIN}c\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(await logIn(temporary, "alice", "new"))
        #expect(await logIn(temporary, "carol", "c"))
        #expect(!(await logIn(temporary, "alice", "a")))
        let faults = log.all.compactMap { if case .passwdFile(let faults) = $0 { faults } else { nil } }
        #expect(faults.map { $0.map(\.line) } == [[2]])
        // What was read before stays when the file cannot be read.
        try FileManager.default.removeItem(atPath: path)
        #expect(await logIn(temporary, "alice", "new"))
        #expect(log.all.contains { if case .passwdFile(let faults) = $0 { faults.map(\.line) == [nil] } else { false } })
    }

    @Test func theDatabaseHoldsBeforeTheFile() async throws {
        let (temporary, path) = try store("bob:{PLAIN}b\nalice:{PLAIN}theirs\n")
        try temporary.store.add("alice", password: "ours")
        #expect(try temporary.store.readPasswdFile(path, domains: home).map(\.line) == [2])
        #expect(await logIn(temporary, "alice", "ours"))
        #expect(!(await logIn(temporary, "alice", "theirs")))
    }

    @Test func networksKeepOthersOut() async throws {
        let (temporary, path) = try store("erin:{PLAIN}e::::::allow_nets=192.0.2.0/24\n")
        try temporary.store.readPasswdFile(path, domains: home)
        #expect(await logIn(temporary, "erin", "e", from: "192.0.2.9"))
        #expect(!(await logIn(temporary, "erin", "e", from: "198.51.100.9")))
        #expect(!(await logIn(temporary, "erin", "e")))
        guard case .keys(_, nil) = await temporary.store.scramKeys(of: "erin", client: IPAddress("198.51.100.9")) else {
            Issue.record("SCRAM does not go by the networks")
            return
        }
    }

    @Test func scramFromDovecotsKeysAndFromPlain() async throws {
        let (temporary, path) = try store("alice:\(try #require(doveadmHashes.last))\nbob:{PLAIN}b\n")
        try temporary.store.readPasswdFile(path, domains: home)
        #expect(temporary.store.offersSCRAM)
        for (user, password) in [("alice", "pässword 1"), ("bob", "b")] {
            guard case .keys(let keys, let account) = await temporary.store.scramKeys(of: user, client: nil) else { throw CancellationError() }
            #expect(account?.name == user)
            #expect(SCRAMKeys.derive(from: password, salt: keys.salt, iterations: keys.iterations) == keys)
        }
    }

    @Test func aUserOfTheFileMayHaveAppPasswords() async throws {
        let (temporary, path) = try store("alice:\(doveadmHashes[3])\n")
        try temporary.store.readPasswdFile(path, domains: home)
        let (password, _) = try temporary.store.addAppPassword(for: "alice", name: "phone")
        #expect(await logIn(temporary, "alice", password))
        #expect(await logIn(temporary, "alice", "pässword 1"))
    }
}
