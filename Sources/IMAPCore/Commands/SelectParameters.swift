/// What may follow the name in SELECT and EXAMINE (RFC 4466 §2.1, RFC 7162 §3.1.8 and §3.2.5).
public struct SelectParameters: Sendable, Hashable {
    /// What a client knows of the mailbox from an earlier session.
    public struct Resynchronisation: Sendable, Hashable {
        public let uidValidity: UInt32
        public let modSequence: UInt64
        /// nil: all.
        public let knownUIDs: SequenceSet?

        public init(uidValidity: UInt32, modSequence: UInt64, knownUIDs: SequenceSet? = nil) {
            self.uidValidity = uidValidity
            self.modSequence = modSequence
            self.knownUIDs = knownUIDs
        }
    }

    public let enablesModSequences: Bool
    public let resynchronisation: Resynchronisation?

    public init(enablesModSequences: Bool = false, resynchronisation: Resynchronisation? = nil) {
        self.enablesModSequences = enablesModSequences
        self.resynchronisation = resynchronisation
    }

    /// `[SP "(" select-param *(SP select-param) ")"]`
    static func parse(_ scanner: inout Scanner) throws(ScanError) -> SelectParameters {
        guard scanner.take(32) else { return SelectParameters() }
        var enables = false
        var found: Resynchronisation?
        _ = try scanner.list { (scanner) throws(ScanError) in
            if scanner.keyword("CONDSTORE") {
                enables = true
            } else if scanner.keyword("QRESYNC") {
                try scanner.space()
                found = try resynchronisation(&scanner)
            } else {
                throw ScanError("unknown SELECT parameter")
            }
        }
        return SelectParameters(enablesModSequences: enables, resynchronisation: found)
    }

    /// `"(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"`
    private static func resynchronisation(_ scanner: inout Scanner) throws(ScanError) -> Resynchronisation {
        try scanner.expect(40, "( before what the client knows")
        let validity = try scanner.positiveNumber()
        try scanner.space()
        let modSequence = try scanner.modSequence()
        guard modSequence > 0 else { throw ScanError("the mod-sequence must be above zero") }
        var known: SequenceSet?
        var hasSpace = scanner.take(32)
        if hasSpace, scanner.peek != 40 {
            known = try numbers(&scanner)
            hasSpace = scanner.take(32)
        }
        // Message numbers and UIDs that match (§3.2.5.2) help servers that forget expunges; this one has its log.
        if hasSpace {
            try scanner.expect(40, "( before numbers and UIDs")
            _ = try numbers(&scanner)
            try scanner.space()
            _ = try numbers(&scanner)
            try scanner.expect(41, ") behind numbers and UIDs")
        }
        try scanner.expect(41, ") behind what the client knows")
        return Resynchronisation(uidValidity: validity, modSequence: modSequence, knownUIDs: known)
    }

    /// A `sequence-set` without `*`, which means nothing here.
    private static func numbers(_ scanner: inout Scanner) throws(ScanError) -> SequenceSet {
        let set = try SequenceSet.parse(&scanner)
        guard !set.isSaved, !set.elements.contains(where: { $0.first == .largest || $0.last == .largest }) else { throw ScanError("* and $ are not known UIDs") }
        return set
    }
}

/// What may follow FETCH's items (RFC 4466 §2.4, RFC 7162 §3.1.4.1 and §3.2.6).
public struct FetchModifiers: Sendable, Hashable {
    public let changedSince: UInt64?
    /// Also tell which UIDs went since then.
    public let vanished: Bool
    /// RFC 9394 §3.3: only these of the messages named.
    public let partial: PartialRange?

    public init(changedSince: UInt64? = nil, vanished: Bool = false, partial: PartialRange? = nil) {
        self.partial = partial
        self.changedSince = changedSince
        self.vanished = vanished
    }

    static func parse(_ scanner: inout Scanner) throws(ScanError) -> FetchModifiers {
        guard scanner.take(32) else { return FetchModifiers() }
        var since: UInt64?
        var vanished = false
        var partial: PartialRange?
        _ = try scanner.list { (scanner) throws(ScanError) in
            if scanner.keyword("CHANGEDSINCE") {
                try scanner.space()
                since = try scanner.modSequence()
            } else if scanner.keyword("VANISHED") {
                vanished = true
            } else if scanner.keyword("PARTIAL"), partial == nil {
                try scanner.space()
                partial = try PartialRange.parse(&scanner)
            } else {
                throw ScanError("unknown FETCH modifier")
            }
        }
        if vanished, since == nil { throw ScanError("VANISHED needs CHANGEDSINCE beside it") }
        return FetchModifiers(changedSince: since, vanished: vanished, partial: partial)
    }
}
