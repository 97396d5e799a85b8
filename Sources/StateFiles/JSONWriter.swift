/// Writes JSON octet by octet. Every message pays for it, and `JSONEncoder` asks ten times as much; reading back is rare
/// and left to `JSONDecoder`, so the names given must be those of the properties (tests compare).
package struct JSONWriter {
    private var bytes: [UInt8] = []
    private var needsComma = false

    /// A whole object.
    package static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(body)
        return writer.bytes
    }

    private init() { bytes.reserveCapacity(4096) }

    package mutating func object(_ body: (inout JSONWriter) -> Void) { nest(0x7B, 0x7D, body) }

    package mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        nest(0x7B, 0x7D, body)
    }

    package mutating func list<Element>(_ name: StaticString, _ elements: [Element], _ each: (inout JSONWriter, Element) -> Void) {
        key(name)
        nest(0x5B, 0x5D) { writer in
            for element in elements {
                writer.comma()
                each(&writer, element)
                writer.needsComma = true
            }
        }
    }

    package mutating func strings(_ name: StaticString, _ values: [String]) { list(name, values) { $0.string($1) } }

    package mutating func map(_ name: StaticString, _ values: [String: String]) {
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
    package mutating func field(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        number(value)
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        word(value ? "true" : "false")
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ value: Range<Int>?) {
        guard let value else { return }
        key(name)
        bytes.append(0x5B)
        number(value.lowerBound)
        bytes.append(0x2C)
        number(value.upperBound)
        bytes.append(0x5D)
        needsComma = true
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and controls are escaped.
    package mutating func string(_ text: String) {
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
        bytes.append(0x5C)
        guard byte < 0x20 else { return bytes.append(byte) }
        word("u00")
        for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }

    private mutating func word(_ text: StaticString) { bytes += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) }

    private mutating func number(_ value: Int) {
        // At the most 20 octets: a short string, which is no object.
        var text = String(value)
        text.withUTF8 { bytes += $0 }
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
        word(name)
        bytes.append(0x22)
        bytes.append(0x3A)
    }
}
