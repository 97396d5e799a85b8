import BlockingPool
import DNS
import Foundation
import NetworkAddress
import Testing
@testable import NameServers

struct NameServerMessageTests {
    static let question = DNSQuestion(name("one._domainkey.example.org"), .txt)

    /// A response to ``question``: flags and answer octets as given.
    static func reply(id: UInt16 = 7, flags: UInt16 = 0x8400, count: UInt16 = 0, _ answers: [UInt8] = []) -> [UInt8] {
        var out = NameServerQuery.encode(question, id: id)
        out.removeLast(11)
        out[2] = UInt8(flags >> 8)
        out[3] = UInt8(truncatingIfNeeded: flags)
        out[7] = UInt8(count)
        out[11] = 0
        return out + answers
    }

    /// A record whose owner is a pointer to the question's name (octet 12).
    static func record(_ type: DNSRecordType, _ rdata: [UInt8], owner: [UInt8] = [0xc0, 12]) -> [UInt8] {
        owner + [UInt8(type.rawValue >> 8), UInt8(truncatingIfNeeded: type.rawValue), 0, 1, 0, 0, 0, 60, UInt8(rdata.count >> 8), UInt8(truncatingIfNeeded: rdata.count)] + rdata
    }

    @Test func theQueryIsWhatRFC1035Says() {
        let bytes = NameServerQuery.encode(DNSQuestion(name("a.bc"), .txt), id: 0x1234)
        // RD clear, one question, one additional: an OPT of 1,232 octets (RFC 6891 §6.1.2).
        #expect(bytes == [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 97, 2, 98, 99, 0, 0, 16, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
    }

    @Test func recordsOfTheNameAreTheAnswer() throws {
        let bytes = Self.reply(count: 2, Self.record(.txt, [2, 104, 105]) + Self.record(.txt, [1, 120]))
        let reply = try #require(NameServerReply(parsing: bytes))
        #expect(reply.id == 7)
        #expect(reply.question == Self.question)
        #expect(reply.verdict == .records([[2, 104, 105], [1, 120]]))
    }

    @Test func absenceAndAuthority() {
        func verdict(_ flags: UInt16) -> NameServerAnswer? { NameServerReply(parsing: Self.reply(flags: flags))?.verdict }
        #expect(verdict(0x8400) == .noData)
        #expect(verdict(0x8403) == .nameError)
        #expect(verdict(0x8402) == .failure("SERVFAIL"))
        #expect(verdict(0x8405) == .failure("REFUSED"))
        // A resolver's copy is no authority.
        #expect(verdict(0x8000) == .failure("answers without authority for the zone"))
        // A query is no response.
        #expect(verdict(0x0400) == nil)
    }

    @Test func anAliasIsFollowedWithinTheAnswer() throws {
        let target: [UInt8] = [1, 120, 0xc0, 27]  // x.example.org, compressed against the question
        let alias = Self.record(.cname, target)
        #expect(NameServerReply(parsing: Self.reply(count: 1, alias))?.verdict == .alias(name("x.example.org")))
        let both = alias + Self.record(.txt, [1, 121], owner: [1, 120, 0xc0, 27])
        #expect(NameServerReply(parsing: Self.reply(count: 2, both))?.verdict == .records([[1, 121]]))
        let circle = Self.record(.cname, [0xc0, 12])
        #expect(NameServerReply(parsing: Self.reply(count: 1, circle))?.verdict == .noData)
    }

    @Test func everyShortReplyIsRefused() {
        let whole = Self.reply(count: 1, Self.record(.txt, [2, 104, 105]))
        for count in 0..<whole.count { #expect(NameServerReply(parsing: Array(whole.prefix(count))) == nil, "\(count) octets") }
        #expect(NameServerReply(parsing: whole) != nil)
    }

    // RFC 1035 §4.1.4: a pointer to itself, forwards, or in a circle must not hold us up.
    @Test(arguments: [[0xc0, 44], [0xc0, 60], [0xff, 0xff], [1, 97, 0xc0, 44], [64], [0x80, 1]] as [[UInt8]])
    func badNamesAreRefused(owner: [UInt8]) {
        #expect(Self.reply().count == 44)
        #expect(NameServerReply(parsing: Self.reply(count: 1, Self.record(.txt, [1, 120], owner: owner))) == nil)
    }

    @Test func mutatedRepliesNeverCrash() {
        let whole = Self.reply(count: 3, Self.record(.cname, [1, 120, 0xc0, 27]) + Self.record(.txt, [1, 121], owner: [1, 120, 0xc0, 27]) + Self.record(.txt, []))
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            _ = NameServerReply(parsing: bytes)?.verdict
        }
    }
}

/// The client against a socket of its own on loopback.
struct NameServerClientTests {
    private static let local = IPAddress("127.0.0.1")
    private let pool = BlockingPool(threads: 4, name: "test")

    @Test func overUDP() async throws {
        let server = try LoopbackServer { query in
            let right = Self.answer(query, flags: 0x8400, text: "hi")
            // A stranger's datagram with another id, and garbage, come first.
            return [[0xff], [right[0] ^ 1] + right.dropFirst(), right]
        }
        defer { server.stop() }
        let answer = await NameServerClient(port: server.port, timeout: .seconds(10), pool: pool).ask(NameServerMessageTests.question, of: try #require(Self.local))
        #expect(answer == .records([[2, 104, 105]]))
    }

    @Test func truncatedAnswersAreAskedForOverTCP() async throws {
        let server = try LoopbackServer(tcp: { Self.answer($0, flags: 0x8400, text: "whole") }) { [Self.answer($0, flags: 0x8600, text: "")] }
        defer { server.stop() }
        let answer = await NameServerClient(port: server.port, timeout: .seconds(10), pool: pool).ask(NameServerMessageTests.question, of: try #require(Self.local))
        #expect(answer == .records([[5] + Array("whole".utf8)]))
    }

    @Test func silenceEndsAtTheDeadline() async throws {
        let server = try LoopbackServer { _ in [] }
        defer { server.stop() }
        let answer = await NameServerClient(port: server.port, timeout: .milliseconds(20), pool: pool).ask(NameServerMessageTests.question, of: try #require(Self.local))
        guard case .unreachable = answer else {
            Issue.record("\(answer)")
            return
        }
    }

    static func answer(_ query: [UInt8], flags: UInt16, text: String) -> [UInt8] {
        let id = UInt16(query[0]) << 8 | UInt16(query[1])
        return NameServerMessageTests.reply(id: id, flags: flags, count: 1, NameServerMessageTests.record(.txt, [UInt8(text.utf8.count)] + Array(text.utf8)))
    }
}
