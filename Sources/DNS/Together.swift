/// Does both at once and returns what they made. Each runs on this thread up to its first pause (SE-0472), so that answers
/// which are there already wake no other thread.
package func together<First: Sendable, Second: Sendable>(
    _ first: @escaping @Sendable () async -> First, _ second: @Sendable () async -> Second
) async -> (First, Second) {
    await withTaskGroup(of: First.self) { group in
        #if compiler(>=6.2)
        group.addImmediateTask { await first() }
        #else
        group.addTask { await first() }
        #endif
        let second = await second()
        for await first in group { return (first, second) }
        // Not reached: the group has one task.
        return (await first(), second)
    }
}
