/// Events in a window that slides: those of the present stretch of time, and of the one before it the share that the
/// window still covers. Two numbers, however many events there are.
struct SlidingCount: Sendable, Hashable {
    /// The number of the present stretch, counted in windows since 1970.
    var stretch: Int
    var current = 0
    var previous = 0

    /// Adds one event.
    /// - Returns: how many there were in the window, this one included.
    mutating func add(at now: Int, window: Int) -> Int {
        move(to: now / window)
        current += 1
        let covered = window - now % window
        return current + (previous * covered) / window
    }

    /// A clock that was set back counts on in the stretch it was in.
    private mutating func move(to present: Int) {
        guard present > stretch else { return }
        previous = present == stretch + 1 ? current : 0
        current = 0
        stretch = present
    }

    /// Whether the window has left all its events behind.
    func isOver(at now: Int, window: Int) -> Bool { now / window > stretch + 1 }
}
