/// Tables whose lines become the lines of one of our table settings.
enum KeyedTables {
    static func carry(_ parameter: Parameter, to key: String, _ draft: inout Draft, _ source: ImportSource, value: (String) -> String = { $0 }) -> Outcome {
        var pairs: [(String, String)] = [], refused: [String] = []
        for table in TableReference.list(parameter.value) {
            guard table.isReadable else {
                refused.append(table.whyNot)
                continue
            }
            do {
                for entry in TableText(try source.read(table.name)).entries where !pairs.contains(where: { $0.0 == entry.key }) {
                    let text = value(entry.value)
                    do {
                        _ = try source.own.judge(key, TOMLText.table([(entry.key, text)]))
                        pairs.append((entry.key, text))
                    } catch { refused.append("\(table.name):\(entry.line): \(error)") }
                }
            } catch { refused.append("\(table): \(error)") }
        }
        let outcome = pairs.isEmpty ? Outcome.isDefault("\(key) is empty by default") : draft.set(key, TOMLText.table(pairs), from: parameter.origin)
        return refused.isEmpty ? outcome : .notCarried((refused + (pairs.isEmpty ? [] : ["the other \(pairs.count) lines are carried to \(key)"])).joined(separator: "; "))
    }
}
