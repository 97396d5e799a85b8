// Changes that the kernel told of, one by one.
extension MailboxState {
    /// Where a message's file is.
    private struct Place: Equatable {
        let isNew: Bool
        /// The whole name.
        let spelling: [UInt8]

        init(isNew: Bool, spelling: [UInt8]) {
            self.isNew = isNew
            self.spelling = spelling
        }

        init(_ message: StoredMessage) { self.init(isNew: message.isNew, spelling: message.fileNameOctets) }
    }

    /// Takes in what happened since the folder was last read or asked about. Replaying what is known already changes
    /// nothing, as long as all of it up to now is there.
    /// - Parameter unlisted: messages that the list does not have, with their UIDs.
    mutating func take(_ events: [FileEvent], unlisted: [[UInt8]: UInt32] = [:]) throws(StoreError) {
        var places: [[UInt8]: Place?] = [:]
        for event in events where event.name.first != 46 {
            let base = Array(event.name.prefix { $0 != 58 })
            guard base.withUnsafeBufferPointer({ UIDList.canHold($0) }) else { continue }
            let now = places[base] ?? index(of: base, unlisted).map { Place(snapshot.messages[$0]) }
            let place = Place(isNew: event.isNew, spelling: event.name)
            places.updateValue(event.appeared ? place : now == place ? nil : now, forKey: base)
        }
        var gone: [UInt32] = [], arrived: [[UInt8]: FoundFile] = [:], arena = NameArena()
        for (base, place) in places {
            let index = index(of: base, unlisted)
            guard let place else {
                if let index { gone.append(snapshot.messages[index].uid) }
                continue
            }
            let file = place.spelling.withUnsafeBufferPointer { FoundFile($0, base: base.count, isNew: place.isNew, arena: &arena) }
            if let index { update(index, file) } else if Files.kind(path(of: place)) == .file { arrived[base] = file }
        }
        forget(gone)
        try add(arrived)
    }

    private func index(of base: [UInt8], _ unlisted: [[UInt8]: UInt32]) -> Int? {
        (unlisted[base] ?? uids[base]).flatMap { snapshot.messages.index(ofUID: $0) }
    }

    private func path(of place: Place) -> String { (place.isNew ? paths.new : paths.cur) + "/" + String(decoding: place.spelling, as: UTF8.self) }

    private mutating func update(_ index: Int, _ file: FoundFile) {
        let old = snapshot.messages[index]
        var message = StoredMessage(uid: old.uid, base: old.storedBase, file)
        message.modSequence = old.modSequence
        guard message != old else { return }
        snapshot.messages.replace(at: index, with: message)
        snapshot.generation += 1
    }

    private mutating func add(_ arrived: [[UInt8]: FoundFile]) throws(StoreError) {
        guard !arrived.isEmpty else { return }
        let unknown = arrived.keys.filter { uids[$0] == nil }
        if !unknown.isEmpty {
            var names = NameTable()
            for base in unknown { base.withUnsafeBufferPointer { names.append($0) } }
            names.arrange(Arrival.order(of: names.names))
            try assignUIDs(to: names)
        }
        for (base, file) in arrived {
            guard let index = uids.table.index(of: base) else { continue }
            snapshot.messages.insert(StoredMessage(uid: uids.uids[index], base: uids.table.names[index], file))
        }
        takeHeader()
        snapshot.generation += 1
    }
}
