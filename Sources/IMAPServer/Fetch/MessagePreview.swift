import InternetMessage
import MailStore

extension MessageContent {
    /// PREVIEW (RFC 8970): the beginning of what a reader would see first. nil: there is no text.
    func preview() throws(StoreError) -> String? {
        let structure = try structure()
        return try bytes().withUnsafeBytes { MessagePreview.make(structure, of: $0) }
    }
}

/// Finds the first text of a message and makes one short line of it.
enum MessagePreview {
    /// RFC 8970 §3.1: at most 256 characters; 200 are what most clients show.
    static let length = 200
    /// So much of a part is looked at.
    private static let window = 16_384

    static func make(_ root: MIMEPart, of message: UnsafeRawBufferPointer) -> String? {
        guard let part = firstText(root, depth: 0) else { return nil }
        let raw = message[part.bodyRange].prefix(window * 2)
        let text: String
        if part.fields.encoding == .identity {
            text = Charset.decode(raw, charset: part.fields.charset)
        } else {
            guard let decoded = part.fields.encoding.decode(Slice(base: raw.base, bounds: wholeLines(raw))) else { return nil }
            text = Charset.decode(decoded[...], charset: part.fields.charset)
        }
        return shorten(part.fields.subtype.lowercased() == "html" ? HTMLText.strip(text) : text)
    }

    /// Plain text before HTML, as multipart/alternative orders them; attached texts do not count.
    private static func firstText(_ part: MIMEPart, depth: Int) -> MIMEPart? {
        guard depth < 50 else { return nil }
        if case .multipart(let parts) = part.content {
            var first: MIMEPart?
            for inner in parts {
                guard let found = firstText(inner, depth: depth + 1) else { continue }
                if found.fields.subtype.lowercased() != "html" { return found }
                first = first ?? found
            }
            return first
        }
        guard part.enclosedMessage == nil, part.fields.isText, part.fields.disposition?.lowercased() != "attachment" else { return nil }
        return part
    }

    /// An encoded part cut anywhere could not be decoded.
    private static func wholeLines(_ raw: Slice<UnsafeRawBufferPointer>) -> Range<Int> {
        guard let end = raw.lastIndex(of: 10), raw.count >= window * 2 else { return raw.startIndex..<raw.endIndex }
        return raw.startIndex..<(end + 1)
    }

    /// Runs of white space become one blank.
    static func shorten(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        var count = 0, isBlank = true
        for scalar in text.unicodeScalars {
            guard count < length else { break }
            if scalar.properties.isWhitespace || scalar.value < 32 || (127..<160).contains(scalar.value) {
                if !isBlank {
                    out.append(" ")
                    count += 1
                }
                isBlank = true
            } else {
                out.append(scalar)
                count += 1
                isBlank = false
            }
        }
        if out.last == " " { out.removeLast() }
        return String(out)
    }
}

/// HTML as bare text: good enough for one line.
enum HTMLText {
    private static let silent: Set<String> = ["style", "script", "head", "title"]
    private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " "]

    static func strip(_ html: String) -> String {
        var out = ""
        var rest = html[...]
        while let mark = rest.firstIndex(where: { $0 == "<" || $0 == "&" }) {
            out += rest[..<mark]
            rest = rest[mark...]
            if rest.first == "<" { tag(&rest, &out) } else { entity(&rest, &out) }
            if out.utf8.count > 4096 { return out }
        }
        return out + rest
    }

    private static func tag(_ rest: inout Substring, _ out: inout String) {
        if rest.hasPrefix("<!--") {
            var behind = rest.dropFirst(4)
            while let mark = behind.firstIndex(of: ">") {
                let isEnd = behind[..<mark].hasSuffix("--")
                behind = behind[behind.index(after: mark)...]
                if isEnd { return rest = behind }
            }
            return rest = ""
        }
        guard let end = rest.firstIndex(of: ">") else { return rest = "" }
        let name = String(rest[..<end].dropFirst().prefix { $0.isLetter || $0.isNumber }).lowercased()
        rest = rest[rest.index(after: end)...]
        out += " "
        if silent.contains(name) { skip(to: name, &rest) }
    }

    /// Over an element whose content is not shown.
    private static func skip(to name: String, _ rest: inout Substring) {
        while let mark = rest.firstIndex(of: "<") {
            rest = rest[mark...]
            if rest.dropFirst().hasPrefix("/"), rest.dropFirst(2).prefix(name.count).lowercased() == name {
                rest = rest.firstIndex(of: ">").map { rest[rest.index(after: $0)...] } ?? ""
                return
            }
            rest = rest.dropFirst()
        }
        rest = ""
    }

    private static func entity(_ rest: inout Substring, _ out: inout String) {
        let word = rest.dropFirst().prefix(10).prefix { $0 != ";" }
        guard word.count < 10, rest.dropFirst(word.count + 1).first == ";" else {
            out += "&"
            return rest = rest.dropFirst()
        }
        rest = rest.dropFirst(word.count + 2)
        if let known = entities[word.lowercased()] { out += known } else if word.hasPrefix("#") {
            let digits = word.dropFirst()
            let value = digits.hasPrefix("x") || digits.hasPrefix("X") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            if let scalar = value.flatMap({ Unicode.Scalar($0) }) { out.unicodeScalars.append(scalar) }
        } else { out += " " }
    }
}
