import InternetMessage
import Milter

/// The header changes of a modification log as the calls an MTA must get.
///
/// The log speaks of the working copy, which is the message as the MTA showed it. The MTA counts otherwise:
/// - it hides its own Received field on top from milters. Changing counts without it, inserting counts with it
///   (Sendmail 8.13 and later, and Postfix after it): place 0 is above it, place 1 below it;
/// - once a milter has inserted something above that Received field, Postfix leaves out that something instead when it
///   counts for a change.
///
/// So the log is not replayed word by word. It is run over a marked copy; changes and deletions of fields that came
/// with the message go first and from the last to the first, when every count is still what it was at the start; then
/// come the new fields. A field that one filter added and a later one changed or took away appears as it ended.
struct HeaderEdits: Equatable {
    enum Edit: Equatable {
        /// The occurrence-th field (from 1) of that name gets this value; nil deletes it.
        case change(name: String, occurrence: Int, HeaderField?)
        /// `index` counts as the MTA does, its own Received field included.
        case insert(index: Int, HeaderField)
        case append(HeaderField)
    }

    private(set) var edits: [Edit] = []

    private struct Entry {
        var field: HeaderField
        /// Place in the received header; nil for a new field.
        let origin: Int?
    }

    /// - Parameters:
    ///   - received: the header as it came.
    ///   - log: all modifications in order; those of other kinds are passed over.
    init(received: MessageHeader, log: [Modification]) {
        var copy = received.fields.enumerated().map { Entry(field: $1, origin: $0) }
        for change in log { Self.apply(change, to: &copy) }
        addChanges(from: received.fields, to: copy)
        addNewFields(of: copy)
    }

    /// As ``Transaction/apply(_:)`` does with the header itself.
    private static func apply(_ change: Modification, to copy: inout [Entry]) {
        switch change {
        case .insertHeader(let index, let field):
            copy.insert(Entry(field: field, origin: nil), at: min(max(index, 0), copy.count))
        case .addHeader(let field): copy.append(Entry(field: field, origin: nil))
        case .changeHeader(let name, let occurrence, let field):
            let places = copy.indices.filter { copy[$0].field.isNamed(name) }
            guard occurrence >= 1, occurrence <= places.count else {
                if let field { copy.append(Entry(field: field, origin: nil)) }
                return
            }
            let place = places[occurrence - 1]
            guard let field else {
                copy.remove(at: place)
                return
            }
            // A milter cannot give a field another name: it is then a new field in the old one's place.
            copy[place] = Entry(field: field, origin: field.isNamed(name) ? copy[place].origin : nil)
        default: break
        }
    }

    private mutating func addChanges(from received: [HeaderField], to copy: [Entry]) {
        var kept: [Int: HeaderField] = [:]
        for entry in copy { if let origin = entry.origin { kept[origin] = entry.field } }
        for place in received.indices.reversed() where kept[place] != received[place] {
            // As the filter spells it: an MTA writes the name that it is given.
            let name = kept[place]?.name ?? received[place].name
            let occurrence = received[...place].count { $0.isNamed(name) }
            edits.append(.change(name: name, occurrence: occurrence, kept[place]))
        }
    }

    private mutating func addNewFields(of copy: [Entry]) {
        let firstKept = copy.firstIndex { $0.origin != nil } ?? copy.count
        let lastKept = copy.lastIndex { $0.origin != nil } ?? -1
        // Each at the very top, the lowest first.
        for entry in copy[..<firstKept].reversed() { edits.append(.insert(index: 0, entry.field)) }
        // Past the MTA's Received field, hence one more than the place in the copy.
        for (place, entry) in copy.enumerated() where entry.origin == nil && place > firstKept && place < lastKept {
            edits.append(.insert(index: place + 1, entry.field))
        }
        guard lastKept >= 0 else { return }
        for entry in copy[(lastKept + 1)...] { edits.append(.append(entry.field)) }
    }
}
