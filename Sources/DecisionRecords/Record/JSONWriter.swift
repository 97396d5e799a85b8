/// Writes JSON octet by octet. Every message pays for it, and `JSONEncoder` asks ten times as much; reading back is rare
/// and left to `JSONDecoder`, so the names here must be those of the properties (a test compares).
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init() { bytes.reserveCapacity(4096) }

    mutating func object(_ body: (inout JSONWriter) -> Void) { nest(0x7B, 0x7D, body) }

    mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        nest(0x7B, 0x7D, body)
    }

    mutating func list<Element>(_ name: StaticString, _ elements: [Element], _ each: (inout JSONWriter, Element) -> Void) {
        key(name)
        nest(0x5B, 0x5D) { writer in
            for element in elements {
                writer.comma()
                each(&writer, element)
                writer.needsComma = true
            }
        }
    }

    mutating func strings(_ name: StaticString, _ values: [String]) { list(name, values) { $0.string($1) } }

    mutating func map(_ name: StaticString, _ values: [String: String]) {
        key(name)
        nest(0x7B, 0x7D) { writer in
            for (name, value) in values {
                writer.comma()
                writer.string(name)
                writer.bytes.append(0x3A)
                writer.string(value)
                writer.needsComma = true
            }
        }
    }

    /// Nothing for nil: an absent optional is read back as nil.
    mutating func field(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
        needsComma = true
    }

    mutating func field(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        bytes += String(value).utf8
        needsComma = true
    }

    mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        bytes += (value ? "true" : "false").utf8
        needsComma = true
    }

    mutating func field(_ name: StaticString, _ value: Range<Int>?) {
        guard let value else { return }
        key(name)
        bytes += "[\(value.lowerBound),\(value.upperBound)]".utf8
        needsComma = true
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and controls are escaped.
    mutating func string(_ text: String) {
        var text = text
        bytes.append(0x22)
        text.withUTF8 { utf8 in
            var plain = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes += utf8[plain..<index]
                escape(byte)
                plain = index + 1
            }
            bytes += utf8[plain...]
        }
        bytes.append(0x22)
    }

    private mutating func escape(_ byte: UInt8) {
        if byte >= 0x20 { bytes += [0x5C, byte] } else {
            let digits = Array("0123456789abcdef".utf8)
            bytes += [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private mutating func nest(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        bytes.append(open)
        needsComma = false
        body(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(0x2C) }
        needsComma = false
    }

    private mutating func key(_ name: StaticString) {
        comma()
        bytes.append(0x22)
        bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        bytes += [0x22, 0x3A]
    }
}
