import InternetMessage
import Milter
import Testing

@testable import MilterServer

/// An MTA as Sendmail and Postfix do it: its own Received field stands on top, is not shown to milters, and counts for
/// insertions only. Postfix passes over whatever is first when it counts for a change, its own field or not.
private struct ModelMTA {
    var fields: [HeaderField]

    init(_ received: [HeaderField]) { fields = [HeaderField(name: "Received", value: "by us")] + received }

    mutating func apply(_ edit: HeaderEdits.Edit) {
        switch edit {
        case .insert(let index, let field): fields.insert(field, at: min(index, fields.count))
        case .append(let field): fields.append(field)
        case .change(let name, let occurrence, let field):
            let places = fields.indices.dropFirst().filter { fields[$0].isNamed(name) }
            guard places.indices.contains(occurrence - 1) else {
                if let field { fields.append(field) }
                return
            }
            if let field { fields[places[occurrence - 1]] = field } else { fields.remove(at: places[occurrence - 1]) }
        }
    }

    /// Without its own Received field.
    var seen: [HeaderField] {
        var out = fields
        if let own = out.firstIndex(where: { $0.value == "by us" }) { out.remove(at: own) }
        return out
    }
}

@Suite struct HeaderEditsTests {
    private func field(_ name: String, _ value: String) -> HeaderField { HeaderField(name: name, value: value) }

    @Test func changesComeFirstAndFromTheLast() {
        let received = MessageHeader([field("A", "1"), field("A", "2")])
        let edits = HeaderEdits(received: received, log: [
            .insertHeader(index: 0, field("A", "0")), .changeHeader(name: "A", occurrence: 2, nil),
            .changeHeader(name: "A", occurrence: 2, field("A", "two")),
        ]).edits
        #expect(edits == [.change(name: "A", occurrence: 2, field("A", "two")), .change(name: "A", occurrence: 1, nil),
                          .insert(index: 0, field("A", "0"))])
    }

    @Test func aNewFieldThatIsTakenAwayAgainIsNeverSent() {
        let edits = HeaderEdits(received: MessageHeader([field("S", "s")]), log: [
            .addHeader(field("X", "1")), .changeHeader(name: "X", occurrence: 1, field("X", "2")), .changeHeader(name: "X", occurrence: 1, nil),
        ]).edits
        #expect(edits.isEmpty)
    }

    @Test func aFieldOfAnotherNameTakesTheOldOnesPlace() {
        let edits = HeaderEdits(received: MessageHeader([field("A", "1"), field("B", "2"), field("C", "3")]),
                                log: [.changeHeader(name: "B", occurrence: 1, field("New", "n"))]).edits
        #expect(edits == [.change(name: "B", occurrence: 1, nil), .insert(index: 2, field("New", "n"))])
    }

    @Test func aMessageWithoutHeader() {
        let edits = HeaderEdits(received: MessageHeader(), log: [.addHeader(field("A", "1")), .addHeader(field("B", "2"))]).edits
        #expect(edits == [.insert(index: 0, field("B", "2")), .insert(index: 0, field("A", "1"))])
    }

    /// Whatever the log does to the working copy, the MTA's header ends the same.
    @Test(arguments: 0..<300)
    func theMTAEndsWithTheWorkingCopy(_ seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let names = ["A", "B", "Received"]
        let received = (0..<Int.random(in: 0...5, using: &random)).map { field(names.randomElement(using: &random) ?? "A", "old\($0)") }
        var copy = Transaction(id: "t", connection: ConnectionFacts(listener: "milter"), message: Message(header: MessageHeader(received)))
        for step in 0..<Int.random(in: 1...8, using: &random) {
            let name = names.randomElement(using: &random) ?? "A"
            switch Int.random(in: 0...3, using: &random) {
            case 0: copy.apply(.insertHeader(index: Int.random(in: 0...6, using: &random), field(name, "new\(step)")))
            case 1: copy.apply(.addHeader(field(name, "new\(step)")))
            case 2: copy.apply(.changeHeader(name: name, occurrence: Int.random(in: 1...3, using: &random), field(name, "changed\(step)")))
            default: copy.apply(.changeHeader(name: name, occurrence: Int.random(in: 1...3, using: &random), nil))
            }
        }
        var mta = ModelMTA(received)
        for edit in HeaderEdits(received: MessageHeader(received), log: copy.modifications).edits { mta.apply(edit) }
        #expect(mta.seen == copy.message.header.fields)
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
