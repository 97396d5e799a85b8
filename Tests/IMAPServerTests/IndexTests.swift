import Foundation
import IMAPCore
import InternetMessage
import Testing
@testable import IMAPServer
@testable import MailStore

/// The index must say what the files say (RFC 9051 §6.4.4).
@Suite struct IndexTests {
    @Test func searchesFindWhatReadingEveryMessageFinds() throws {
        try Folder.with(AwkwardMail.all) { folder in
            let view = MailboxView(try folder.indexed.refresh(), recent: [])
            let known = SearchIndex(folder.indexed, view), unknown = SearchIndex(folder.plain, view)
            var kept = 0, passedOver = 0
            for key in AwkwardMail.keys() {
                let evaluator = SearchEvaluator(key, messageCount: UInt32(view.messages.count), largestUID: view.messages.last?.uid ?? 0, now: 0)
                for (index, message) in view.messages.enumerated() {
                    let byIndex = SearchCandidate(index: index, message: message, view: view, mailbox: folder.indexed, known: known)
                    let byFile = SearchCandidate(index: index, message: message, view: view, mailbox: folder.plain, known: unknown)
                    #expect(try evaluator.matches(byIndex) == evaluator.matches(byFile), "\(key), message \(index + 1)")
                    if case .body(let text) = key { if byIndex.mayContain(SearchNeedle(text), in: .body) { kept += 1 } else { passedOver += 1 } }
                }
            }
            // Not by reading all of them.
            #expect(passedOver > kept)
        }
    }

    @Test func fetchAndSortAnswerTheSameFromTheIndex() throws {
        try Folder.with(AwkwardMail.all) { folder in
            let view = MailboxView(try folder.indexed.refresh(), recent: [])
            let summaries = SummaryReader(folder.indexed, view)
            let attributes: [FetchAttribute] = [.envelope, .bodyStructure, .size, .internalDate, .section(BodySection(.headerFields(["SUBJECT", "Date", "X-Priority"])), partial: nil, peek: true)]
            for message in view.messages {
                var answers: [[UInt8]] = []
                for (mailbox, reader) in [(folder.indexed, Optional(summaries)), (folder.plain, nil)] {
                    var fetch = FetchResponse(number: 1)
                    for item in try FetchPlanner(mailbox: mailbox, message: message, flags: [], summaries: reader).plan(attributes) { item.write(into: &fetch) }
                    answers.append(fetch.writer.bytes)
                }
                #expect(answers[0] == answers[1], "UID \(message.uid)")
            }
            let known = SearchIndex(folder.indexed, view), unknown = SearchIndex(folder.plain, view)
            for key in SortCriterion.Key.allCases {
                var sorters = [MessageSorter([SortCriterion(key)]), MessageSorter([SortCriterion(key)])]
                for (index, message) in view.messages.enumerated() {
                    try sorters[0].add(SearchCandidate(index: index, message: message, view: view, mailbox: folder.indexed, known: known), as: message.uid)
                    try sorters[1].add(SearchCandidate(index: index, message: message, view: view, mailbox: folder.plain, known: unknown), as: message.uid)
                }
                #expect(sorters[0].sorted() == sorters[1].sorted(), "\(key)")
            }
        }
    }

    @Test func listsComeFromTheIndexAndNotFromTheFiles() throws {
        try Folder.with([message("Subject: before"), message("Subject: other")]) { folder in
            let view = MailboxView(try folder.indexed.refresh(), recent: [])
            for file in folder.files { try Data("Subject: after\n\nbody\n".utf8).write(to: URL(fileURLWithPath: file)) }
            #expect(SummaryReader(folder.indexed, view).header(of: view.messages[0].uid)?.first("Subject")?.value == "before")
        }
    }

    @Test func aDamagedIndexIsMadeAnew() throws {
        try Folder.with([message("Subject: one"), message("Subject: two")]) { folder in
            try Data(repeating: 120, count: 20_000).write(to: URL(fileURLWithPath: try folder.indexFile()))
            let again = try MailStore(root: folder.root, summarizer: IMAPSummarizer(), smallestIndexed: 1).maildir(for: "alice").mailbox(.inbox)
            try Folder.fill(again)
            let view = MailboxView(try again.refresh(), recent: [])
            #expect(SummaryReader(again, view).header(of: view.messages[1].uid)?.first("Subject")?.value == "two")
        }
    }

    @Test func anIndexOfAnotherVersionIsMadeAnew() throws {
        struct Other: MessageSummarizer {
            let version = 999
            func summary(of file: MessageFile) throws -> MessageSummary {
                var summary = MessageSummary()
                summary.structure = [1]
                return summary
            }
        }
        try Folder.with([message("Subject: one")]) { folder in
            let again = try MailStore(root: folder.root, summarizer: Other(), smallestIndexed: 1).maildir(for: "alice").mailbox(.inbox)
            try Folder.fill(again)
            let uid = try #require(again.lastSnapshot.messages.first?.uid)
            #expect(again.summaries(uid...uid)[uid]?.structure == [1])
        }
    }

    @Test func aRowOfAnotherFileIsNotBelieved() throws {
        try Folder.with([message("Subject: one"), message("Subject: two")]) { folder in
            // The same UIDs for other files, as after a list that somebody restored from a backup.
            let list = folder.root + "/alice/Maildir/dovecot-uidlist"
            var lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
            let names = lines.dropFirst().map { String($0.drop { $0 != ":" }) }
            lines = [lines[0], "1 " + names[1], "2 " + names[0]]
            try (lines.joined(separator: "\n") + "\n").write(toFile: list, atomically: true, encoding: .utf8)
            let again = try MailStore(root: folder.root, summarizer: IMAPSummarizer(), smallestIndexed: 1).maildir(for: "alice").mailbox(.inbox)
            try Folder.fill(again)
            let view = MailboxView(try again.refresh(), recent: [])
            #expect(SummaryReader(again, view).header(of: 1)?.first("Subject")?.value == "two")
        }
    }

    private func message(_ header: String) -> [UInt8] { Array((header + "\r\n\r\nbody\r\n").utf8) }
}

/// A folder with messages, its index filled, and the same folder without an index.
struct Folder {
    let root: String
    let indexed: Mailbox
    let plain: Mailbox

    static func with<Value>(_ messages: [[UInt8]], _ body: (Folder) throws -> Value) throws -> Value {
        let root = NSTemporaryDirectory() + "mailindex-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        // Small enough that one of the messages has too much text.
        let store = try MailStore(root: root, summarizer: IMAPSummarizer(mostText: 5000), smallestIndexed: 1)
        let mailbox = try store.maildir(for: "alice").mailbox(.inbox)
        for octets in messages {
            var writer = try mailbox.beginAppend()
            try writer.append(octets)
            _ = try mailbox.commit(writer, flags: [.seen])
        }
        try fill(mailbox)
        let plain = try MailStore(root: root).maildir(for: "alice").mailbox(.inbox)
        _ = try plain.refresh()
        return try body(Folder(root: root, indexed: mailbox, plain: plain))
    }

    static func fill(_ mailbox: Mailbox) throws {
        _ = try mailbox.refresh()
        let token = mailbox.observe {}
        defer { mailbox.removeObserver(token) }
        let end = ContinuousClock.now + .seconds(60)
        while !mailbox.isIndexed {
            guard ContinuousClock.now < end else { throw CancellationError() }
            usleep(5000)
        }
    }

    var files: [String] {
        let cur = root + "/alice/Maildir/cur/"
        return ((try? FileManager.default.contentsOfDirectory(atPath: cur)) ?? []).map { cur + $0 }
    }

    func indexFile() throws -> String {
        let folder = root + "/alice/index/"
        return folder + (try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".sqlite") }))
    }
}

/// Mail as it should not be, and is.
enum AwkwardMail {
    static let all: [[UInt8]] = texts.map { Array($0.replacingOccurrences(of: "\n", with: "\r\n").utf8) } + octets + mutations

    private static let texts = [
        "Subject: plain words\nFrom: Alice <alice@example.org>\nTo: bob@example.net\nDate: Mon, 1 Jan 2024 10:00:00 +0100\n\nThe quick brown fox\njumps over the lazy dog.\n",
        "Subject: =?iso-8859-1?q?Gr=FC=DFe_aus_K=F6ln?=\n =?utf-8?B?w6TDtsO8?=\nFrom: =?utf-8?q?J=C3=B6rg?= <j@example.org>\nX-Empty:\n\nStraße GRÖSSE ŒUVRE ﬁnal ½ Å\u{30a}\n",
        "Subject:=?utf-8?q?glued=20to=20the=20colon?=\nX-Folded: one\n two\n\tthree\n\nno type\n",
        "Subject: =?utf-8?B?8J+YgA==?= =?utf-8?B?8J+Y?= =?utf-8?B?gQ==?= split\nContent-Type: text/plain; charset=utf-8\n\nemoji 😀😁 and e\u{301} combining ΟΔΟΣ Σίσυφος İstanbul ıI\n",
        "Subject: quoted printable\nContent-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\nsoft br=\neak and =93quotes=94 caf=E9 =\n\n",
        "Subject: base64\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPGI+aGlkZGVuIGdlbTwvYj4gw4bDmMOF\n",
        "Subject: bad base64\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!!not base64 at all????\n",
        "Subject: cyrillic\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n8NLJ18XULCDNydIh\n",
        "Subject: =?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=\nContent-Type: text/plain; charset=iso-2022-jp\n\n\u{1b}$BF|K\\8l\u{1b}(B end\n",
        "Subject: nested\nContent-Type: multipart/mixed; boundary=b\n\npreamble words\n--b\nContent-Type: message/rfc822\n\nSubject: =?utf-8?q?enclosed_s=C3=BCbject?=\nFrom: inner@example.com\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\ninner plain\n--c\nContent-Type: text/html\n\n<i>inner html</i>\n--c--\n--b\nContent-Type: application/octet-stream\n\nbinarystuff\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQp5\n--b--\nepilogue words\n",
        "Content-Type: multipart/mixed\n\nno boundary but words\n",
        "Subject: unknown charset\nContent-Type: text/plain; charset=x-martian\n\nläuft\n",
        "Subject: uu\nContent-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n#8V%T\n`\nend\n",
        "Subject: \"quotes\" and 'more' \\ AND OR NOT NEAR(a b) * ^ -\n\n\"phrase\" AND (body:text) OR header*\n",
        "Subject: twice\nSubject: second subject\nTo: a@b.example\nTo: c@d.example\n\nx\n",
        "", "\n", "\nonly a body\n", "Subject: only a header", "not a header at all\nmore\n",
        "Subject: \u{fffd}\u{fffe}\u{ffff} odd\n\n\u{fffe} noncharacters \u{10ffff}\n",
    ]

    private static let octets: [[UInt8]] = [
        Array("Subject: raw ".utf8) + [0xe4, 0xf6, 0xfc] + Array("\r\nFrom: x@y.example\r\n\r\nraw ".utf8) + [0xe4, 0xf6, 0, 0xfc] + Array(" after nul\r\n".utf8),
        Array("Subject: latin\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n".utf8) + [0xc4, 0xd6, 0xdc, 0xdf] + Array(" end\r\n".utf8),
        Array("Subject: nul\r\n\r\nbefore".utf8) + [0, 0] + Array("behind the nul\r\n".utf8),
        Array("Subject: large\r\n\r\n".utf8) + Array(repeating: Array("filler line number nine\r\n".utf8), count: 400).joined() + Array("needle at the end\r\n".utf8),
        Array("Subject: long line\r\n\r\n".utf8) + Array(repeating: Array("abcdefghij".utf8), count: 300).joined() + Array("\r\n".utf8),
    ]

    /// Octets of the above, changed at random; always the same.
    private static let mutations: [[UInt8]] = {
        var random = Fixed(state: 7)
        let sources = texts.map { Array($0.replacingOccurrences(of: "\n", with: "\r\n").utf8) }.filter { $0.count > 40 }
        return (0..<40).map { _ in
            var octets = sources.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...12, using: &random) { octets[Int.random(in: 0..<octets.count, using: &random)] = .random(in: 1...255, using: &random) }
            return octets.filter { $0 != 13 || Bool.random(using: &random) }
        }
    }()

    /// Searches for pieces of the texts, as they are and in other case, and for what is nowhere.
    static func keys() -> [SearchKey] {
        var random = Fixed(state: 3)
        var needles = ["", "a", "ab", "XYZZY nowhere", "straße", "STRASSE", "grösse", "GRO\u{308}SSE", "σίσυφος", "οδος", "😁", "e\u{301}", "\"phrase\" and", "\u{fffd}", "\u{fffe}", "b\r\nc",
                       "fox\r\njumps", "softbreak", "soft break", "hidden gem", "日本語", "привет", "subject: ", "subject:glued", "enclosed sübject", "epilogue", "needle at the end", "behind the nul",
                       String(repeating: "abcdefghij", count: 30), String(repeating: "abcdefghij", count: 200)]
        let words = all.filter { $0.count < 2000 }.flatMap { octets -> [String] in
            var found: [String] = []
            SearchableTexts.each(octets) { found.append(String(decoding: $0, as: UTF8.self)) }
            return found + MessageHeader.parse(octets[...]).header.fields.map { String(decoding: SearchableTexts.wholeField($0), as: UTF8.self) }
        }.filter { !$0.isEmpty }
        for _ in 0..<36 {
            let scalars = Array((words.randomElement(using: &random) ?? "").unicodeScalars)
            let start = Int.random(in: 0..<scalars.count, using: &random), length = Int.random(in: 1...24, using: &random)
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars[start..<min(start + length, scalars.count)])
            needles.append(Bool.random(using: &random) ? text.uppercased() : text)
        }
        return needles.flatMap { [.body($0), .text($0), .header("Subject", $0)] }
    }
}

extension SearchableTexts {
    fileprivate static func each(_ octets: [UInt8], _ take: ([UInt8]) -> Void) {
        octets.withUnsafeBytes { raw in
            _ = anyInBody(raw, MIMEStructure.parse(raw)) {
                take($0)
                return false
            }
        }
    }
}

private struct Fixed: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
