#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// One thing to fuzz: takes any octets, must return, and dies where an invariant does not hold.
typealias FuzzTarget = @Sendable ([UInt8]) -> Void

/// All of them; POSTERN_FUZZ_TARGET names the one that a process runs. One program, so that one instrumented build serves all.
enum FuzzTargets {
    static let all: [String: FuzzTarget] = [
        "smtp": SMTPTargets.session, "lmtp": SMTPTargets.lmtp, "data": SMTPTargets.data, "bdat": SMTPTargets.chunks,
        "smtp-reply": SMTPTargets.reply, "smtp-client": SMTPTargets.client,
        "header": MessageTargets.header, "mime": MessageTargets.mime, "words": MessageTargets.words, "trace": MessageTargets.trace,
        "address": AddressTargets.addresses, "domain": AddressTargets.domain, "auth-results": AddressTargets.authenticationResults,
        "spf": RecordTargets.spf, "spf-macro": RecordTargets.macro, "dkim": RecordTargets.dkim, "dkim-message": RecordTargets.signedMessage,
        "dmarc": RecordTargets.dmarc, "mta-sts": RecordTargets.mtaSTS,
        "zone": DNSTargets.zone, "dns-message": DNSTargets.message,
        "milter": MilterTargets.packets, "sasl": LogInTargets.sasl, "dovecot-auth": LogInTargets.dovecot, "control": LogInTargets.control,
        "imap": IMAPTargets.session, "imap-names": IMAPTargets.names, "imap-deflate": IMAPTargets.inflate,
        "policy": PolicyTargets.rules, "regex": PolicyTargets.pattern, "aliases": PolicyTargets.aliases,
        "maildir": FileTargets.maildir, "queue-file": FileTargets.queue, "archive": FileTargets.archive,
    ]

    /// Chosen once: reading the environment for every input would cost more than many of the parsers.
    static let chosen: FuzzTarget = {
        let name = getenv("POSTERN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = all[name] else {
            print("set POSTERN_FUZZ_TARGET to one of: " + all.keys.sorted().joined(separator: " "))
            exit(2)
        }
        return target
    }()
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTargets.chosen(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// An invariant. In a release build `precondition` says nothing of its text: this does.
func expect(_ condition: @autoclosure () -> Bool, _ what: @autoclosure () -> String, line: Int = #line, file: String = #fileID) {
    guard !condition() else { return }
    print("INVARIANT BROKEN at \(file):\(line): \(what())")
    fflush(nil)
    abort()
}

/// Octets for choices, cut from an input's front.
struct Choices {
    private(set) var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    mutating func octet() -> UInt8 { rest.popFirst() ?? 0 }

    /// What is left, cut at an octet that no text has.
    func texts() -> [ArraySlice<UInt8>] { rest.split(separator: 0xff, omittingEmptySubsequences: false) }
}

extension Collection<UInt8> {
    /// The octets in pieces: of one octet each, or of lengths that vary.
    func pieces(_ rhythm: UInt8) -> [[UInt8]] {
        var out: [[UInt8]] = [], rest = Array(self)[...], step = Int(rhythm)
        while !rest.isEmpty {
            let length = rhythm == 0 ? 1 : 1 + step % 13
            out.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
            step = (step * 31 + 7) & 0xffff
        }
        return out
    }
}
