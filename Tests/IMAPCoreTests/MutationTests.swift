import IMAPCore
import InternetMessage
import Testing

/// A small generator with a fixed seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite struct MutationTests {
    static func mutate(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(Array("\r\n\"\\(){}[]<>*%&=;:,.-+ 0".utf8).randomElement(using: &random) ?? 0, at: at)
            case 3: bytes.insert(contentsOf: bytes[at..<min(at + 20, bytes.count)], at: at)
            default: bytes.removeSubrange(at..<min(at + 10, bytes.count))
            }
        }
        return bytes
    }

    static let commands = CommandFramerTests.streams + [
        "a UID FETCH 1:*,3 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (\"a\" {2+}\r\nbc)]<0.5>)\r\n", "a SEARCH RETURN (ALL) CHARSET UTF-8 OR (KEYWORD x) NOT SENTON \"1-Jan-2000\"\r\n",
        "a LIST (SUBSCRIBED) \"\" (a &U,BTFw-) RETURN (STATUS (UNSEEN))\r\n", "a STORE 1 +FLAGS (\\Seen x)\r\n", "a ID (\"a\" NIL)\r\nb AUTHENTICATE PLAIN AGEAYg==\r\n",
    ]

    /// Mutated streams: nothing crashes, every octet is taken, and the way they are cut changes nothing.
    @Test(arguments: commands)
    func framingAndParsing(_ text: String) {
        var random = SplitMix(state: 1)
        for _ in 0..<300 {
            let bytes = Self.mutate(Array(text.utf8), &random)
            #expect(outcome(bytes, by: 1) == outcome(bytes, by: 5))
        }
    }

    private func outcome(_ bytes: [UInt8], by size: Int) -> [String] {
        var framer = CommandFramer(limits: .init(command: 4096, literal: 1000, append: 1000))
        var seen: [String] = []
        var content: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            framer.feed(bytes[start..<min(start + size, bytes.count)])
            while let event = framer.next() {
                switch event {
                case .append(.literal): framer.acceptAppend()
                case .append(.chunk(let more)): content += more
                case .command(let command):
                    do { seen.append("\(try CommandParser.parse(command))") } catch { seen.append("\(error)") }
                default: seen.append("\(event)")
                }
            }
        }
        return seen + [String(decoding: content, as: UTF8.self)]
    }

    /// Mutated messages: ranges stay inside, and what is written for them has balanced parentheses outside strings.
    @Test func messages() {
        var random = SplitMix(state: 2)
        let seeds = [SectionTests.message, SearchTests.message.content ?? []]
        for round in 0..<600 {
            let bytes = Self.mutate(seeds[round % 2], &random)
            bytes.withUnsafeBytes { raw in
                let root = MIMEStructure.parse(raw)
                #expect(root.range == 0..<raw.count)
                root.visit { #expect($0.range.lowerBound >= 0 && $0.range.upperBound <= raw.count) }
                var writer = ResponseWriter()
                BodyStructure.encode(root, of: raw, extended: true, into: &writer)
                Envelope(MessageHeader.parse(bytes[...]).header).encode(into: &writer)
                #expect(Self.isBalanced(writer.bytes))
                for numbers in [[1], [3], [3, 1], [4, 2, 1]] {
                    _ = SectionExtractor.extract(BodySection(part: numbers, .headerFieldsNot(["x"])), of: raw, structure: root)
                }
            }
        }
    }

    /// Reads strings and literals as a client does.
    static func isBalanced(_ bytes: [UInt8]) -> Bool {
        var depth = 0, i = 0
        while i < bytes.count {
            switch bytes[i] {
            case 40: depth += 1
            case 41: depth -= 1
            case 34:
                i += 1
                while i < bytes.count, bytes[i] != 34 { i += bytes[i] == 92 ? 2 : 1 }
            case 123:
                let digits = bytes[(i + 1)...].prefix { $0 != 125 }
                guard let size = Int(String(decoding: digits, as: UTF8.self)) else { return false }
                i = digits.endIndex + 2 + size
            default: break
            }
            if depth < 0 { return false }
            i += 1
        }
        return depth == 0 && i == bytes.count
    }

    @Test func continuationLines() {
        #expect(ContinuationLine(sasl: Array("*".utf8)) == .cancel && ContinuationLine(sasl: []) == .response([]))
        #expect(ContinuationLine(sasl: Array("AGEAYg==".utf8)) == .response([0, 97, 0, 98]) && ContinuationLine(sasl: Array("a b".utf8)) == .malformed)
        #expect(ContinuationLine.endsIdle(Array("done".utf8)) && !ContinuationLine.endsIdle(Array("DONE ".utf8)))
    }
}
