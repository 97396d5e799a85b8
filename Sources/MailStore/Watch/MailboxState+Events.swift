// Changes that the kernel told of, one by one.
extension MailboxState {
    /// Where a message's file is.
    private struct Place: Equatable {
        let isNew: Bool
        let spelling: String
    }

    /// Takes in what happened since the folder was last read or asked about. Replaying what is known already changes
    /// nothing, as long as all of it up to now is there.
    mutating func take(_ events: [FileEvent]) throws(StoreError) {
        var places: [String: Place?] = [:]
        for event in events where !event.name.hasPrefix(".") {
            let base = MaildirFileName.base(of: event.name)
            let now = places[base] ?? known(base)
            let place = Place(isNew: event.isNew, spelling: event.name)
            places.updateValue(event.appeared ? place : now == place ? nil : now, forKey: base)
        }
        var gone: [UInt32] = [], arrived: [String: FoundFile] = [:]
        for (base, place) in places {
            let index = uids[base].flatMap { snapshot.messages.index(ofUID: $0) }
            guard let place else {
                if let index { gone.append(snapshot.messages[index].uid) }
                continue
            }
            let file = FoundFile(place.spelling, isNew: place.isNew)
            if let index { update(index, file) } else if Files.kind(path(of: place)) == .file { arrived[base] = file }
        }
        forget(gone)
        try add(arrived)
    }

    private func known(_ base: String) -> Place? {
        uids[base].flatMap { snapshot.messages.index(ofUID: $0) }.map { snapshot.messages[$0] }.map { Place(isNew: $0.isNew, spelling: $0.fileName) }
    }

    private func path(of place: Place) -> String { (place.isNew ? paths.new : paths.cur) + "/" + place.spelling }

    private mutating func update(_ index: Int, _ file: FoundFile) {
        let old = snapshot.messages[index]
        var message = StoredMessage(uid: old.uid, file)
        message.modSequence = old.modSequence
        guard message != old else { return }
        snapshot.messages.replace(at: index, with: message)
        snapshot.generation += 1
    }

    private mutating func add(_ arrived: [String: FoundFile]) throws(StoreError) {
        guard !arrived.isEmpty else { return }
        let unknown = arrived.keys.filter { uids[$0] == nil }
        if !unknown.isEmpty { try assignUIDs(to: unknown) }
        for (base, file) in arrived {
            if let uid = uids[base] { snapshot.messages.insert(StoredMessage(uid: uid, file)) }
        }
        takeHeader()
        snapshot.generation += 1
    }
}
