import Foundation

/// Octets within octets. Foundation's search on strings weighs every way to write a letter, at many times the cost.
enum TextSearch {
    static func finds(_ needle: [UInt8], in text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = needle.first else { return true }
        guard var place = text.baseAddress else { return false }
        let end = place + text.count
        while end - place >= needle.count, let found = memchr(place, Int32(first), end - place - needle.count + 1) {
            let start = found.assumingMemoryBound(to: UInt8.self)
            if memcmp(start, needle, needle.count) == 0 { return true }
            place = UnsafePointer(start) + 1
        }
        return false
    }
}
