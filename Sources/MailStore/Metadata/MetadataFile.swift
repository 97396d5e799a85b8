import InternetMessage

/// Annotations of a folder or an account (RFC 5464), one per line: the entry's name, a blank, the value in base64.
struct MetadataFile: Sendable, Equatable {
    var values: [String: [UInt8]] = [:]

    init() {}

    /// Lines that are none are passed over.
    init(parsing bytes: [UInt8]) {
        for line in bytes.split(separator: 10) {
            guard let blank = line.lastIndex(of: 32), let name = String(validating: line[..<blank], as: UTF8.self) else { continue }
            let text = line[(blank + 1)...]
            if text.elementsEqual([45]) { values[name] = [] } else if let value = Base64.decodeStrictly(text) { values[name] = value }
        }
    }

    func serialised() -> [UInt8] {
        values.keys.sorted().flatMap { name in
            let value = values[name] ?? []
            return Array(name.utf8) + [32] + (value.isEmpty ? [45] : Array(Base64.encode(value).utf8)) + [10]
        }
    }
}
