import Logging
import Milter
import UnboundResolver

/// The built-in filters of an installation, wired as `postern serve` wires them, of which nothing remains: for tests that
/// drive the chain themselves.
package final class TrialChain {
    package let chain: FilterChain
    private let resolver: UnboundResolver
    private let trial: TrialGround

    /// Blocks.
    /// - Throws: what cannot be read, in words for an operator.
    package init(_ settings: Settings, logger: Logger) throws {
        let resolver = try ResolverSettings.resolver(settings)
        var trial: TrialGround?
        do {
            let ground = try TrialGround(settings, resolver: resolver, logger: logger)
            trial = ground
            chain = try LiveParts(settings, on: ground.ground).milterChain
            (self.resolver, self.trial) = (resolver, ground)
        } catch {
            trial?.close()
            resolver.close()
            throw error
        }
    }

    package func close() {
        trial.close()
        resolver.close()
    }
}
