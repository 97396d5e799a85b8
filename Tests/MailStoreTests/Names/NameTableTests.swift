import Foundation
import Testing
@testable import MailStore

@Suite struct NameTableTests {
    private static func octets(_ random: inout SystemRandomNumberGenerator, longest: Int) -> [UInt8] {
        (0..<Int.random(in: 0...longest, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private func append(_ name: [UInt8], _ table: inout NameTable, _ hash: UInt32?) {
        name.withUnsafeBufferPointer { table.append($0, hash: hash ?? NameTable.hash(of: $0)) }
    }

    private func index(_ name: [UInt8], _ table: NameTable, _ hash: UInt32?) -> Int? {
        name.withUnsafeBufferPointer { table.index(of: $0, hash: hash ?? NameTable.hash(of: $0)) }
    }

    /// Names of any octets against a dictionary; with hashes as they are, with one that all have in common, and with those
    /// that begin at the table's end.
    @Test(arguments: [nil, 0, 7, UInt32.max]) func itBehavesAsADictionary(_ hash: UInt32?) {
        var random = SystemRandomNumberGenerator(), table = NameTable(), model: [[UInt8]: Int] = [:], names: [[UInt8]] = []
        #expect(index([65], table, hash) == nil)
        for _ in 0..<(hash == nil ? 20_000 : 500) {
            let name = Self.octets(&random, longest: names.count % 3 == 0 ? 2 : 40)
            append(name, &table, hash)
            model[name] = names.count
            names.append(name)
        }
        #expect(table.count == model.count && table.names.count == names.count)
        let stored: [[UInt8]] = table.names.map { $0.withOctets { Array($0) } }
        #expect(stored == names)
        for (name, place) in model { #expect(index(name, table, hash) == place) }
        for place in names.indices {
            let isOutdated = model[names[place]] != place
            #expect(table.isOutdated(place) == isOutdated)
        }
        for _ in 0..<200 {
            let other = Self.octets(&random, longest: 50)
            #expect(index(other, table, hash) == model[other])
        }
    }

    @Test func aNameIsInsertedOnce() {
        var table = NameTable()
        func insert(_ text: String, _ hash: UInt32) -> Int { Array(text.utf8).withUnsafeBufferPointer { table.insert($0, hash: hash) } }
        let places: [Int] = [insert("a", 5), insert("b", 5), insert("a", 5), insert("b", 5), insert("", 5), insert("c", 13)]
        #expect(places == [0, 1, 0, 1, 2, 3])
        #expect(table.count == 4)
    }

    /// What is text to nobody is a name all the same, and what Unicode takes for the same text is another name.
    @Test func namesAreOctets() {
        var table = NameTable()
        let names: [[UInt8]] = [[0xff], [0xfe], [0xef, 0xbf, 0xbd], Array("é".utf8), Array("e\u{301}".utf8), [0]]
        for name in names { append(name, &table, nil) }
        #expect(table.count == names.count)
        #expect(names.map { table.index(of: $0) } == Array(0..<6))
    }

    @Test func whatIsArrangedIsFoundWhereItIs() {
        var table = NameTable()
        let names = (0..<3000).map { Array("name \($0)".utf8) }
        for name in names { append(name, &table, nil) }
        let order = Array(names.indices.shuffled())
        table.arrange(order)
        for (place, index) in order.enumerated() { #expect(table.index(of: names[index]) == place) }
        let some = table.filter { $0.count == 8 }
        #expect(some.count == 900 && some.names.allSatisfy { some.index(of: $0) != nil })
        append(Array("another".utf8), &table, nil)
        #expect(table.index(of: Array("another".utf8)) == 3000)
    }

    @Test func roomIsMadeAtOnce() {
        var table = NameTable()
        table.reserveCapacity(10_000)
        for number in 0..<10_000 { append(Array("\(number)".utf8), &table, nil) }
        let found = (0..<10_000).map { number in table.index(of: Array("\(number)".utf8)) }
        #expect(found == Array(0..<10_000))
    }

    @Test func whatIsAnnouncedIsFoundAsBefore() {
        var table = NameTable(), batch = NameBatch(), found: [Int?] = []
        for number in 0..<20_000 { append(Array("\(number)".utf8), &table, nil) }
        for number in stride(from: 0, to: 40_000, by: 1000) { Array("\(number):2,S".utf8).withUnsafeBufferPointer { batch.append($0, base: $0.count - 4, tag: UInt32($0.count - 4)) } }
        table.announce(batch.hashes)
        batch.empty { name, base, hash in found.append(table.index(of: UnsafeBufferPointer(rebasing: name[..<Int(base)]), hash: hash)) }
        #expect(found == stride(from: 0, to: 40_000, by: 1000).map { $0 < 20_000 ? $0 : nil })
        batch.empty { _, _, _ in Issue.record("nothing is left") }
    }
}

@Suite struct StoredNameTests {
    @Test func namesAreComparedWhereverTheyAre() {
        let one = StoredName("name".utf8), other = StoredName("name, longer".utf8)
        #expect(one == StoredName("name".utf8) && one != other)
        #expect(other.prefix(4) == one && other.prefix(4).hashValue == one.hashValue)
        #expect(other.prefix(4) != other && other.prefix(99) == other)
        #expect(one.text == "name" && StoredName([]).text == "" && StoredName([0xff]).text == "\u{fffd}")
        #expect(StoredName([]) == StoredName([]) && StoredName([0xff]) != StoredName([0xfe]))
        #expect(StoredName(repeatElement(65, count: 70_000)).count == NameArena.longest)
    }

    /// Copies of an arena share its last chunk; what the one keeps there is not the other's, on whatever thread.
    @Test func copiesDoNotWriteOverEachOther() async {
        var arena = NameArena()
        func keep(_ text: String, _ arena: inout NameArena) -> StoredName { Array(text.utf8).withUnsafeBufferPointer { arena.keep($0) } }
        for number in 0..<100 { _ = keep("before \(number)", &arena) }
        let shared = arena
        let kept = await withTaskGroup(of: [(String, StoredName)].self) { group in
            for task in 0..<4 {
                group.addTask {
                    var mine = shared
                    return (0..<5000).map { number in
                        let text = "task \(task) name \(number)"
                        return (text, Array(text.utf8).withUnsafeBufferPointer { mine.keep($0) })
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(kept.count == 20_000)
        #expect(kept.allSatisfy { $0.1.text == $0.0 })
    }
}
