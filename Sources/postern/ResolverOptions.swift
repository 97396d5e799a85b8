import ArgumentParser
import Diagnostics
import UnboundResolver

/// Which name server to ask.
struct ResolverOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Ask this name server, by address, instead of those of /etc/resolv.conf.", valueName: "host:port"),
            transform: {
                guard let address = ResolverAddress($0) else { throw ValidationError("'\($0)' is not an address with a port, such as 127.0.0.1:53") }
                return address
            })
    var resolver: ResolverAddress?

    /// - Parameter timeout: for one question.
    func makeResolver(timeout: Duration) throws -> UnboundResolver {
        try UnboundResolver(configuration: UnboundConfiguration(forwarders: resolver.map { [$0.forwarder] } ?? [], timeout: timeout))
    }
}

/// How long a whole check may take.
struct TimeoutOption: ParsableArguments {
    @Option(help: "Seconds that the whole check may take; what the DNS has not answered by then is a temporary error.")
    var timeout = 20.0

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout must be more than 0 and at most 3600 seconds") }
    }

    var whole: Duration { .milliseconds(Int(timeout * 1000)) }
    /// Half of it, so that a question whose failure does not decide (a PTR) leaves time for the next.
    var question: Duration { min(whole / 2, .seconds(10)) }
}
