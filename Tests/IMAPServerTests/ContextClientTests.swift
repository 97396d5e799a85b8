import Testing
@testable import IMAPServer

/// A client that takes every update in as RFC 5267 §4.3 says has the result that a new search gives, whatever happens.
@Suite(.serialized) struct ContextClientTests {
    /// One result as the client keeps it.
    private struct Kept {
        let tag: String
        let command: String
        let isUID: Bool
        let isSorted: Bool
        var numbers: [UInt32] = []

        mutating func take(_ line: String) {
            var words = line.replacing("(", with: "( ").replacing(")", with: " )").split(separator: " ").map(String.init)[...]
            guard words.starts(with: ["*", "ESEARCH", "(", "TAG", "\"\(tag)\"", ")"]) else { return }
            words = words.dropFirst(6)
            if words.first == "UID" { words.removeFirst() }
            while let item = words.popFirst() {
                if item == "ALL", let set = words.popFirst() { numbers = Self.expand(set) }
                guard item == "ADDTO" || item == "REMOVEFROM" else { continue }
                words.removeFirst()
                while let position = words.popFirst(), position != ")" { change(item == "ADDTO", Int(position) ?? -1, Self.expand(words.removeFirst())) }
            }
        }

        private mutating func change(_ adds: Bool, _ position: Int, _ set: [UInt32]) {
            #expect(isSorted == (position > 0))
            switch (adds, position) {
            case (true, 0): numbers = (numbers + set).sorted()
            case (true, _): numbers.insert(contentsOf: set, at: position - 1)
            case (false, 0): numbers.removeAll(where: set.contains)
            case (false, _):
                #expect(Array(numbers[(position - 1)..<(position - 1 + set.count)]) == set)
                numbers.removeSubrange((position - 1)..<(position - 1 + set.count))
            }
        }

        /// RFC 3501 §7.4.1. What is expunged has left the result before.
        mutating func takeExpunge(_ number: UInt32) {
            guard !isUID else { return }
            #expect(!numbers.contains(number))
            numbers = numbers.map { $0 > number ? $0 - 1 : $0 }
        }

        private static func expand(_ set: String) -> [UInt32] {
            set.split(separator: ",").flatMap { part -> [UInt32] in
                let ends = part.split(separator: ":").compactMap { UInt32($0) }
                return Array(ends[0]...ends[ends.count - 1])
            }
        }
    }

    private static let contexts = [
        Kept(tag: "a", command: "SEARCH RETURN (%) UNSEEN", isUID: false, isSorted: false),
        Kept(tag: "b", command: "UID SEARCH RETURN (%) OR FLAGGED SUBJECT a", isUID: true, isSorted: false),
        Kept(tag: "c", command: "SORT RETURN (%) (SUBJECT) UTF-8 NOT FLAGGED", isUID: false, isSorted: true),
        Kept(tag: "d", command: "UID SORT RETURN (%) (REVERSE SUBJECT REVERSE ARRIVAL) UTF-8 UNDELETED", isUID: true, isSorted: true),
        Kept(tag: "e", command: "UID SEARCH RETURN (%) UID *", isUID: true, isSorted: false),
    ]

    @Test(arguments: ["", "ENABLE IMAP4rev2"]) func follows(_ enabling: String) async throws {
        try await TestServer.with { server in
            for index in 0..<12 { try deliver(server, index) }
            let client = try server.client(), other = try server.client(selecting: "INBOX")
            if !enabling.isEmpty { try client.run(enabling) }
            try client.run("SELECT INBOX")
            var kept = Self.contexts
            func run(_ command: String, tag: String = "x") throws {
                try client.send("\(tag) \(command)\r\n")
                for line in try client.answers(tag) {
                    for index in kept.indices { kept[index].take(line) }
                    let words = line.split(separator: " ")
                    if words.count == 3, words[2] == "EXPUNGE", let number = UInt32(words[1]) { for index in kept.indices { kept[index].takeExpunge(number) } }
                    #expect(!line.hasPrefix("BAD"), "\(command)")
                }
            }
            for context in kept { try run(context.command.replacing("%", with: "UPDATE ALL"), tag: context.tag) }
            for step in 0..<60 {
                switch Int.random(in: 0..<8) {
                case 0, 1: try deliver(server, step)
                case 2: try other.run("STORE 1:* \("+-".randomElement() ?? "+")FLAGS.SILENT (\\Seen)")
                case 3: try other.run("STORE \(Int.random(in: 1...4)) +FLAGS.SILENT (\\Deleted)"); try other.run("EXPUNGE")
                case 4: try run("STORE \(Int.random(in: 1...4)) +FLAGS.SILENT (\\Flagged \\Seen)")
                case 5: try run("STORE 1:3 -FLAGS (\\Flagged \\Deleted)")
                case 6: try run("FETCH 2 BODY[]")
                default: try run("UID STORE 1:* +FLAGS (\\Flagged)")
                }
                try other.run("NOOP")
                if Bool.random() { try run("NOOP") }
            }
            try run("NOOP")
            for context in kept {
                var fresh = context
                fresh.numbers = []
                try client.send("\(context.tag) \(context.command.replacing("%", with: "ALL"))\r\n")
                for line in try client.answers(context.tag) { fresh.take(line) }
                #expect(context.numbers == fresh.numbers, "\(context.command)")
            }
        }
    }

    private func deliver(_ server: TestServer, _ number: Int) throws {
        try server.deliver("Subject: \("abcdef".randomElement() ?? "a")\(number % 3)\r\n\r\nx\r\n")
    }
}
