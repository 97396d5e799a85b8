/// Names that many messages share, each kept once and given a number while somebody uses it.
struct NameTable {
    private var numbers: [String: UInt32] = [:]
    private var names: [String] = []
    private var uses: [UInt32] = []
    private var free: [UInt32] = []

    var count: Int { numbers.count }

    /// Counts one more use.
    mutating func take(_ name: String) -> UInt32 {
        if let number = numbers[name] {
            uses[Int(number)] += 1
            return number
        }
        let number: UInt32
        if let old = free.popLast() {
            number = old
            (names[Int(old)], uses[Int(old)]) = (name, 1)
        } else {
            number = UInt32(names.count)
            names.append(name)
            uses.append(1)
        }
        numbers[name] = number
        return number
    }

    mutating func release(_ number: UInt32) {
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0 else { return }
        numbers[names[Int(number)]] = nil
        names[Int(number)] = ""
        free.append(number)
    }

    subscript(_ number: UInt32) -> String { names[Int(number)] }
    func number(of name: String) -> UInt32? { numbers[name] }
    func numbers(where isMeant: (String) -> Bool) -> Set<UInt32> { Set(numbers.filter { isMeant($0.key) }.values) }
}
