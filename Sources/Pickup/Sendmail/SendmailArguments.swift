/// What `sendmail` was asked for: the options that programs have used since 1983, as Postfix's sendmail(1) takes them.
public struct SendmailArguments: Sendable, Hashable {
    public enum Mode: Sendable, Hashable {
        /// `-bm`: read a message and send it.
        case send
        /// `-bs`: SMTP on standard input and output.
        case smtp
        /// `-bp`, `mailq`
        case listQueue
        /// `-q`
        case flushQueue
        /// `-bi`, `newaliases`
        case newAliases
    }

    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    public var mode = Mode.send
    /// `-f`, `-r`; `<>` and the empty word are the null sender.
    public var sender: String?
    /// `-F`
    public var fullName: String?
    /// `-t`
    public var takesRecipientsFromHeader = false
    /// `-i`, `-oi`: a line with a dot alone does not end the message.
    public var ignoresDots = false
    /// `-N`, as NOTIFY has it (RFC 3461 §4.1).
    public var notify: String?
    /// `-R`: `FULL` or `HDRS`
    public var returnContent: String?
    /// `-V`, not encoded yet.
    public var envelopeID: String?
    /// `-B`: `7BIT` or `8BITMIME`
    public var body: String?
    /// `-C`: the settings file.
    public var settingsFile: String?
    public var recipients: [String] = []

    /// - Parameters:
    ///   - name: what the program was called as: `sendmail`, `mailq`, `newaliases`.
    ///   - words: what followed it.
    /// - Throws: ``Failure``; exit status 64 (EX_USAGE).
    public init(calledAs name: String = "sendmail", _ words: [String]) throws(Failure) {
        if name == "mailq" { mode = .listQueue }
        if name == "newaliases" { mode = .newAliases }
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                recipients += rest
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                recipients.append(word)
                continue
            }
            try take(word.dropFirst(), &rest)
        }
    }

    /// One word of options: single letters may stand together, and the first that wants a value takes the word's rest.
    private mutating func take(_ word: Substring, _ rest: inout ArraySlice<String>) throws(Failure) {
        var letters = word
        while let letter = letters.popFirst() {
            // `-q`, `-q30m`, `-qRsite`: the value is never the next word.
            if letter == "q" {
                try flush(letters)
                return
            }
            guard Self.withValue.contains(letter) else {
                try flag(letter)
                continue
            }
            let value = letters.isEmpty ? rest.popFirst() : String(letters)
            guard let value else { throw Failure(description: "option -\(letter) requires an argument") }
            try option(letter, value)
            return
        }
    }

    private static let withValue = Set("ABCFLNORVXbefhoprs")

    private mutating func flush(_ value: Substring) throws(Failure) {
        // An interval is a daemon's business, and the server is one.
        if value.first?.isNumber == true { return }
        guard value.isEmpty else { throw Failure(description: "-q\(value): use postern queue retry") }
        mode = .flushQueue
    }

    private mutating func flag(_ letter: Character) throws(Failure) {
        switch letter {
        case "t": takesRecipientsFromHeader = true
        case "i": ignoresDots = true
        case "I": mode = .newAliases
        // Sendmail's: verbosity, gateway submission, metoo, no aliasing, initial submission, and others that say nothing here.
        case "v", "G", "m", "n", "U", "c", "x", "a": break
        default: throw Failure(description: "invalid option -\(letter)")
        }
    }

    private mutating func option(_ letter: Character, _ value: String) throws(Failure) {
        switch letter {
        case "f", "r": sender = value
        case "F": fullName = value
        case "C": settingsFile = value
        case "N": notify = try Self.notify(value)
        case "R": returnContent = try Self.oneOf(["FULL", "HDRS"], value, letter)
        case "B": body = try Self.oneOf(["7BIT", "8BITMIME"], value, letter)
        case "V": envelopeID = value
        case "b": try operation(value)
        case "o": if value == "i" || value == "I" { ignoresDots = true }
        // -A -L -O -X -e -h -p -s: taken and of no effect, as with Postfix.
        default: break
        }
    }

    private mutating func operation(_ value: String) throws(Failure) {
        switch value {
        case "m": mode = .send
        case "s", "a": mode = .smtp
        case "p", "P": mode = .listQueue
        case "i": mode = .newAliases
        case "d", "l", "D": throw Failure(description: "-b\(value): start the server with postern serve")
        case "v": throw Failure(description: "-bv: use postern verify")
        default: throw Failure(description: "-b\(value) is not supported")
        }
    }

    private static func oneOf(_ words: [String], _ value: String, _ letter: Character) throws(Failure) -> String {
        guard words.contains(value.uppercased()) else { throw Failure(description: "-\(letter) wants one of \(words.joined(separator: ", "))") }
        return value.uppercased()
    }

    private static func notify(_ value: String) throws(Failure) -> String {
        let words = value.uppercased().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let isList = Set(words).count == words.count && words.allSatisfy(["SUCCESS", "FAILURE", "DELAY"].contains)
        guard words == ["NEVER"] || isList else { throw Failure(description: "-N wants never, or a list of success, failure, delay") }
        return words.joined(separator: ",")
    }
}
