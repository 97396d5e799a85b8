import InternetMessage

/// A table in aliases(5)'s syntax: names of local recipients and where their mail goes.
///
///     postmaster: alice
///     sales:      alice, bob@elsewhere.example,
///                 :include:/etc/postern/sales
///     owner-sales: alice
///
/// Names are compared without regard to case. Of a name that stands twice the first line counts, as with postalias(1).
public struct AliasTable: Sendable {
    private var entries: [String: [AliasTarget]] = [:]
    /// Worth a look, but no errors.
    public private(set) var remarks: [String] = []
    /// In the order of the files.
    public private(set) var names: [String] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// - Parameter name: without a domain, any case.
    public func targets(of name: String) -> [AliasTarget]? { entries[name.lowercased()] }

    /// Adds what a table's text says.
    /// - Throws: ``TableError`` with every fault; nothing is added then.
    public mutating func add(_ text: String, file: String, include: IncludeReader) throws(TableError) {
        var faults: [TableFault] = [], fresh = self
        do throws(TableFault) {
            for line in try LogicalLine.all(in: text) {
                do throws(TableFault) {
                    let (name, rest) = try Self.name(of: line)
                    let targets = try include.expand(try TargetList.parse(rest, line: line.number, table: .aliases), from: line.number)
                    guard !targets.isEmpty else { throw TableFault(line: line.number, "the alias \"\(name)\" leads nowhere") }
                    fresh.insert(name, targets, "\(file):\(line.number)")
                } catch { faults.append(error.inFile(file)) }
            }
        } catch { faults.append(error.inFile(file)) }
        guard faults.isEmpty else { throw TableError(faults: faults) }
        self = fresh
    }

    private mutating func insert(_ name: String, _ targets: [AliasTarget], _ place: String) {
        guard entries[name] == nil else {
            remarks.append("\(place): the alias \"\(name)\" stands above already; this line has no effect")
            return
        }
        entries[name] = targets
        names.append(name)
    }

    /// `name:` or `"quoted name":`; what follows is the right-hand side.
    private static func name(of line: LogicalLine) throws(TableFault) -> (String, Substring) {
        var name = "", isQuoted = false, isEscaped = false
        var index = line.text.startIndex
        while index < line.text.endIndex {
            let next = line.text[index]
            if isEscaped {
                name.append(next)
                isEscaped = false
            } else if isQuoted, next == "\\" {
                isEscaped = true
            } else if next == "\"" {
                isQuoted.toggle()
            } else if next == ":", !isQuoted {
                let trimmed = String(name.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
                guard !trimmed.contains("@") || line.text.hasPrefix("\"") else {
                    throw TableFault(line: line.number, "\"\(trimmed)\": an alias has no domain; addresses stand in virtual_alias_maps")
                }
                guard TableName.isFit(trimmed), !trimmed.contains(" ") || line.text.hasPrefix("\"") else {
                    throw TableFault(line: line.number, "\"\(trimmed)\" is no name for an alias")
                }
                return (trimmed.lowercased(), line.text[line.text.index(after: index)...])
            } else {
                name.append(next)
            }
            index = line.text.index(after: index)
        }
        throw TableFault(line: line.number, isQuoted ? "a quotation mark is not closed" : "no colon: an alias is written \"name: address, address\"")
    }
}
