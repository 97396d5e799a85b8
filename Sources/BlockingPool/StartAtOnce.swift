/// Begins work that often ends without waiting for anything: it runs on this thread up to its first pause (SE-0472), so
/// that no other thread is woken for what is done at once. For work that does not block before that pause.
@discardableResult
package func startAtOnce<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Task<Value, Never> {
    #if compiler(>=6.2)
    Task.immediate { await work() }
    #else
    Task { await work() }
    #endif
}
