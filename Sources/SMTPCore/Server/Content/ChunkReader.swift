/// Counts the octets of one BDAT chunk (RFC 3030 §2) and looks for bare CR and LF in them: BINARYMIME is not offered,
/// so the content consists of lines as after DATA.
public struct ChunkReader: Sendable {
    /// Octets of the chunk still to come.
    public private(set) var remaining: Int
    public let isLast: Bool
    private(set) var lineEnds: LineEndCheck

    init(count: Int, isLast: Bool, lineEnds: LineEndCheck) {
        remaining = count
        self.isLast = isLast
        self.lineEnds = lineEnds
    }

    /// Takes what belongs to the chunk. - Returns: how many octets that is.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(remaining, bytes.count)
        lineEnds.take(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        remaining -= count
        return count
    }
}

/// Watches a message's line ends through all its chunks.
struct LineEndCheck: Sendable {
    private(set) var defect: LineDefect?
    private var endsInCR = false

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        guard defect == nil, let first = bytes.first else { return }
        if endsInCR, first != 10 { return defect = .bareCR }
        var rest = bytes
        if first == 10 {
            guard endsInCR else { return defect = .bareLF }
            rest = UnsafeRawBufferPointer(rebasing: bytes[1...])
        }
        endsInCR = bytes.last == 13
        while !rest.isEmpty {
            let (length, found, _) = LineScanner.scan(rest)
            if let found { return defect = found }
            if length == 0 { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
    }

    /// At the end of the message a CR that no LF followed is bare.
    mutating func finish() { if defect == nil, endsInCR { defect = .bareCR } }
}
