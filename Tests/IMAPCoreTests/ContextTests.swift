@testable import IMAPCore
import Testing

/// Contexts (RFC 5267) as far as they need no mailbox; sections are those of that RFC unless said otherwise.
@Suite struct ContextTests {
    /// §4.2, §4.3, §5, and RFC 5465 §7 for UPDATE's FETCH items (its grammar has no space before them, its example has).
    @Test func options() throws {
        let junk = SearchKey.and([.flag(.deleted), .flag(Flag(unchecked: "$Junk"))])
        #expect(try command("B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk") == .search(SearchRequest(junk, returns: [.update([]), .count]), .uid))
        #expect(try command("A01 SEARCH RETURN (CONTEXT COUNT) DELETED KEYWORD $Junk") == .search(SearchRequest(junk, returns: [.context, .count]), .sequence))
        let boss = SearchKey.header("FROM", "boss")
        for space in ["", " "] {
            let asked = try command("a00 SEARCH RETURN (COUNT UPDATE\(space)(UID FLAGS)) FROM \"boss\"")
            #expect(asked == .search(SearchRequest(boss, returns: [.count, .update([.uid, .flags])]), .sequence))
        }
        #expect(try command("t SEARCH RETURN (UPDATE ALL) ALL") == .search(SearchRequest(.all, returns: [.update([]), .all]), .sequence))
    }

    /// §5 has RETURN behind SORT, appendix A.1 behind the criteria; some write it behind the charset.
    @Test func placesOfReturnInSort() throws {
        let expected = Command.sort([SortCriterion(.date)], SearchRequest(.all, returns: [.update([]), .count]), .uid)
        for text in ["RETURN (UPDATE COUNT) (DATE) UTF-8 ALL", "(DATE) RETURN (UPDATE COUNT) UTF-8 ALL", "(DATE) UTF-8 RETURN (UPDATE COUNT) ALL"] {
            #expect(try command("t UID SORT " + text) == expected)
        }
        #expect(failure("t SORT RETURN (COUNT) (DATE) UTF-8 RETURN (COUNT) ALL")?.tag == "t")
    }

    /// §4.3.5 and §5: quoted tags, one at least.
    @Test func cancelling() throws {
        #expect(try command("B04 CANCELUPDATE \"B01\"") == .cancelUpdate(["B01"]))
        #expect(try command("B04 cancelupdate \"B01\" \"B02\"") == .cancelUpdate(["B01", "B02"]))
    }

    @Test(arguments: [
        "CANCELUPDATE", "CANCELUPDATE ", "CANCELUPDATE B01", "CANCELUPDATE \"a\"\"b\"", "SEARCH RETURN (UPDATE ()) ALL", "SEARCH RETURN (UPDATE (FOO)) ALL", "SEARCH RETURN (UPDATE COUNT",
        // §5: no `*` in a partial range, and both ends.
        "SEARCH RETURN (PARTIAL 1) ALL", "SEARCH RETURN (PARTIAL 1:*) ALL", "SEARCH RETURN (PARTIAL *:1) ALL", "SEARCH RETURN (PARTIAL 0:1) ALL",
        // §4.4: one PARTIAL or one ALL.
        "SEARCH RETURN (PARTIAL 1:2 ALL) ALL", "SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
    ])
    func refused(_ text: String) { #expect(failure("t " + text).map { wire($0.response).hasPrefix("t BAD ") } == true) }

    /// §5: `500:400` is the same as `400:500`.
    @Test func partialRanges() throws {
        func range(_ text: String) throws -> String? {
            guard case .search(let request, _) = try command("t SEARCH RETURN (PARTIAL \(text)) ALL"), case .partial(let range)? = request.returns?.first else { return nil }
            return range.description
        }
        #expect(try range("500:400") == "400:500" && range("400:500") == "400:500" && range("-100:-1") == "-1:-100" && range("7:7") == "7:7")
    }

    /// §4.3.1, §4.3.3 and §4.3.4's examples.
    @Test func responses() {
        let added = ResultUpdate(.addTo, [ResultRun(position: 0, numbers: [32768, 32769])])
        #expect(wire(.esearchUpdate(tag: "B01", .uid, [added])) == "* ESEARCH (TAG \"B01\") UID ADDTO (0 32768:32769)\r\n")
        let removed = ResultUpdate(.removeFrom, [ResultRun(position: 0, numbers: [32768])])
        #expect(wire(.esearchUpdate(tag: "B01", .sequence, [removed, added])) == "* ESEARCH (TAG \"B01\") REMOVEFROM (0 32768) ADDTO (0 32768:32769)\r\n")
        // §3.2: a range ascends, so what descends is none.
        let sorted = ResultUpdate(.addTo, [ResultRun(position: 1, numbers: [9, 8, 7]), ResultRun(position: 6, numbers: [2, 3])])
        #expect(wire(.esearchUpdate(tag: "C", .uid, [sorted])) == "* ESEARCH (TAG \"C\") UID ADDTO (1 9,8,7 6 2:3)\r\n")
        #expect(wire(.untagged(.no("Too many contexts", code: .noUpdate("B02")))) == "* NO [NOUPDATE \"B02\"] Too many contexts\r\n")
    }

    /// §4.3: UPDATE does not change what is answered; alone it asks for no result. RFC 5182 §2.1: `$` gets everything then.
    @Test func updateAsksForNoResult() {
        #expect(wire(.esearch(tag: "t", .uid, SearchResult([1, 2], returns: [.update([])]))) == "* ESEARCH (TAG \"t\") UID\r\n")
        #expect(SearchResult.saved([1, 2, 3], returns: [.save, .update([]), .context]) == [1, 2, 3])
        #expect(SearchResult.saved([1, 2, 3], returns: [.save, .update([]), .min]) == [1])
    }

    /// §4.3.3: 2731:2733 before 2734:2735, in the preferred form.
    @Test func insertions() {
        var list = ResultList([2734, 2735], isSorted: true)
        #expect(list.insert([(2731, 0), (2732, 0), (2733, 0)]) == [ResultRun(position: 1, numbers: [2731, 2732, 2733])])
        #expect(list.uids == Array(2731...2735))
        #expect(list.remove([2731, 2732, 2735]) == [ResultRun(position: 5, numbers: [2735]), ResultRun(position: 1, numbers: [2731, 2732])])
        var unsorted = ResultList([3, 9], isSorted: false)
        #expect(unsorted.insert([5, 12]) == [ResultRun(position: 0, numbers: [5, 12])])
        #expect(unsorted.uids == [3, 5, 9, 12])
        #expect(unsorted.remove([4]) == [] && unsorted.remove([12, 3]) == [ResultRun(position: 0, numbers: [3, 12])] && unsorted.uids == [5, 9])
    }

    /// A client that does what §4.3.3 and §4.3.4 say always has the server's list.
    @Test func aClientFollows() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            // Ranked by a fixed shuffle of 1...40, as SORT would.
            let order = Array(UInt32(1)...40).shuffled(using: &random)
            var list = ResultList([], isSorted: true), client: [UInt32] = []
            for _ in 0..<20 {
                let target = Set(order.filter { _ in Bool.random(using: &random) })
                apply(list.remove(Set(list.uids).subtracting(target)), adds: false, to: &client)
                let present = list.uids
                let new = order.filter { target.contains($0) && !present.contains($0) }.map { uid in
                    (uid, order.prefix { $0 != uid }.count { present.contains($0) })
                }
                apply(list.insert(new), adds: true, to: &client)
                #expect(list.uids == order.filter(target.contains) && client == list.uids)
                #expect(list.members(of: [1, 2, 3, 99]) == target.intersection([1, 2, 3]))
            }
        }
    }

    private func apply(_ runs: [ResultRun], adds: Bool, to client: inout [UInt32]) {
        for run in runs {
            let at = Int(run.position) - 1
            if adds {
                client.insert(contentsOf: run.numbers, at: at)
            } else {
                #expect(Array(client[at..<(at + run.numbers.count)]) == run.numbers)
                client.removeSubrange(at..<(at + run.numbers.count))
            }
        }
    }

    /// §4.3: sequence numbers mean what they meant when the command came.
    @Test func sequenceNumbersAreFixed() throws {
        let uids: [UInt32] = [3, 5, 8, 13]
        func fixed(_ text: String) throws -> SearchKey {
            guard case .search(let request, _) = try command("t SEARCH " + text) else { return .all }
            return request.key.fixingSequences(count: 4) { uids[$0] }
        }
        #expect(try fixed("2:3") == .uid(SequenceSet(5...8)))
        #expect(try fixed("NOT 2:*") == .not(.uid(SequenceSet(5...13))))
        #expect(try fixed("OR 9 SEEN") == .or(.not(.all), .flag(.seen)))
        #expect(try fixed("UID 4:* SEEN") == .and([.uid(SequenceSet([.init(.number(4), .largest)])), .flag(.seen)]))
    }

    /// What makes a result change beside arrivals and removals.
    @Test func whatAResultDependsOn() throws {
        func traits(_ text: String) throws -> SearchTraits {
            guard case .search(let request, _) = try command("t SEARCH " + text) else { return SearchTraits(.all) }
            return SearchTraits(request.key)
        }
        #expect(try traits("SUBJECT x LARGER 5").changesWithFlags == false)
        for text in ["SEEN", "NOT DELETED", "OR SUBJECT x KEYWORD y", "NEW", "MODSEQ 7"] { #expect(try traits(text).changesWithFlags) }
        #expect(try traits("UID 5:*").namesLargestUID && !traits("UID 5:9").namesLargestUID)
        #expect(try traits("OR YOUNGER 60 NOT OLDER 5").intervals == [60, 5])
    }
}
