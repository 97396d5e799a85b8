/// Puts the lists of `:include:` files in the place of their names. They are read with the table: what is changed in one
/// counts from the next reload.
public struct IncludeReader: Sendable {
    static let depthLimit = 10
    static let sizeLimit = 100_000

    private let read: @Sendable (String) throws(TableFault) -> String

    /// - Parameter read: a file's text.
    public init(read: @escaping @Sendable (String) throws(TableFault) -> String) { self.read = read }

    func expand(_ targets: [AliasTarget], from line: Int, within files: [String] = []) throws(TableFault) -> [AliasTarget] {
        var out: [AliasTarget] = []
        for target in targets {
            guard case .include(let path) = target else {
                out.append(target)
                continue
            }
            guard !files.contains(path) else { throw TableFault(line: line, ":include:\(path) includes itself") }
            guard files.count < Self.depthLimit else { throw TableFault(line: line, ":include:\(path): more than \(Self.depthLimit) files within each other") }
            out += try list(path, from: line, within: files + [path])
            guard out.count <= Self.sizeLimit else { throw TableFault(line: line, ":include:\(path): more than \(Self.sizeLimit) addresses") }
        }
        return out
    }

    private func list(_ path: String, from line: Int, within files: [String]) throws(TableFault) -> [AliasTarget] {
        let text: String
        do throws(TableFault) { text = try read(path) } catch { throw TableFault(line: line, ":include:\(path) \(error.text)") }
        var out: [AliasTarget] = []
        do throws(TableFault) {
            for one in try LogicalLine.all(in: text) {
                out += try expand(try TargetList.parse(one.text, line: one.number, table: .aliases), from: one.number, within: files)
            }
        } catch { throw error.inFile(path) }
        return out
    }
}
