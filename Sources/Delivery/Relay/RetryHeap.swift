import Foundation

/// Message ids by the time they are due: a binary heap. An id may stand in it more than once; whoever takes it out checks.
struct RetryHeap {
    private var items: [(time: Date, id: String)] = []

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
    var nextTime: Date? { items.first?.time }

    mutating func add(_ id: String, at time: Date) {
        items.append((time, id))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].time < items[parent].time else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest id if it is due.
    mutating func takeDue(_ now: Date) -> String? {
        guard let first = items.first, first.time <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        siftDown()
        return first.id
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child].time < items[least].time { least = child }
            if least == parent { return }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
