import Testing
@testable import MailStore

@Suite struct MessageListTests {
    private func message(_ uid: UInt32, _ flags: MessageFlags = [], isNew: Bool = false) -> StoredMessage {
        StoredMessage(uid: uid, flags: flags, isNew: isNew, base: "m\(uid)")
    }

    /// Random changes to the list and to an array; what is asked must be the same.
    @Test func itBehavesAsAnArray() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            var model = (1...UInt32(Int.random(in: 1...1500, using: &random))).map { message($0 * 2) }
            var list = MessageList(model)
            for _ in 0..<60 {
                let old = list, oldModel = model
                for _ in 0..<Int.random(in: 1...4, using: &random) { change(&list, &model, &random) }
                #expect(Array(list) == model)
                #expect(list.count == model.count && list.last == model.last)
                #expect(list.tally.unseen == model.count { !$0.flags.contains(.seen) })
                #expect(list.newUIDs == model.filter(\.isNew).map(\.uid))
                #expect(list.deletedUIDs == model.filter { $0.flags.contains(.deleted) }.map(\.uid))
                #expect(list.firstUnseen == model.firstIndex { !$0.flags.contains(.seen) })
                for _ in 0..<5 {
                    let uid = UInt32.random(in: 0...3200, using: &random)
                    #expect(list.index(ofUID: uid) == model.firstIndex { $0.uid == uid })
                    #expect(list.lowerBound(uid) == model.firstIndex { $0.uid >= uid } ?? model.count)
                }
                for index in model.indices where index % 97 == 0 { #expect(list[index] == model[index]) }
                compare(old, oldModel, list, model)
            }
        }
    }

    private func change(_ list: inout MessageList, _ model: inout [StoredMessage], _ random: inout SystemRandomNumberGenerator) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            let uids = Set((0..<Int.random(in: 1...600, using: &random)).map { _ in UInt32.random(in: 0...3200, using: &random) })
            list.remove(uids)
            model.removeAll { uids.contains($0.uid) }
        case 1:
            let fresh = message((model.last?.uid ?? 0) + 1, Bool.random(using: &random) ? [.seen] : [.deleted], isNew: Bool.random(using: &random))
            list.insert(fresh)
            model.append(fresh)
        case 2:
            let uid = UInt32.random(in: 0...1600, using: &random) * 2 + 1
            guard !model.contains(where: { $0.uid == uid }) else { return }
            list.insert(message(uid))
            model.insert(message(uid), at: model.firstIndex { $0.uid > uid } ?? model.count)
        default:
            guard let index = model.indices.randomElement(using: &random) else { return }
            let fresh = message(model[index].uid, MessageFlags(rawValue: .random(in: 0..<64, using: &random)), isNew: Bool.random(using: &random))
            list.replace(at: index, with: fresh)
            model[index] = fresh
        }
    }

    private func compare(_ old: MessageList, _ oldModel: [StoredMessage], _ new: MessageList, _ model: [StoredMessage]) {
        var gone: [UInt32] = [], arrived: [UInt32] = [], changed: [UInt32] = []
        new.differences(from: old) { difference in
            switch difference {
            case .gone(let index, let message):
                #expect(oldModel[index] == message)
                gone.append(message.uid)
            case .arrived(let index, let message):
                #expect(model[index] == message)
                arrived.append(message.uid)
            case .changed(let before, let index, let message):
                #expect(oldModel[before].uid == message.uid && model[index] == message)
                changed.append(message.uid)
            }
        }
        let before = Dictionary(uniqueKeysWithValues: oldModel.map { ($0.uid, $0) }), after = Dictionary(uniqueKeysWithValues: model.map { ($0.uid, $0) })
        #expect(gone == oldModel.map(\.uid).filter { after[$0] == nil })
        #expect(arrived == model.map(\.uid).filter { before[$0] == nil })
        #expect(changed == model.map(\.uid).filter { before[$0].map { $0 != after[$0.uid] } ?? false })
    }

    @Test func aCopySharesWhatIsNotChanged() {
        let old = MessageList((1...2000).map { message($0) })
        var new = old
        new.replace(at: 1000, with: message(1001, [.seen]))
        var seen: [UInt32] = []
        new.differences(from: old) { if case .changed(_, _, let message) = $0 { seen.append(message.uid) } }
        #expect(seen == [1001])
        #expect(old[1000].flags.isEmpty)
    }
}
