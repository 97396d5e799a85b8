import DNS

/// Counts what is asked of a resolver, and how long its answers take.
struct MeasuredResolver: Resolver {
    let base: any Resolver
    let metrics: Metrics

    func resolve(_ question: DNSQuestion) async -> DNSResponse {
        let begun = ContinuousClock.now
        let response = await base.resolve(question)
        let took = ContinuousClock.now - begun
        let word = switch response.outcome { case .records: "records"; case .noData: "nodata"; case .nameError: "nxdomain"; case .temporaryFailure: "failure" }
        metrics.add("postern_dns_questions_total", [("answer", word)])
        metrics.add("postern_dns_seconds_total", [], Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18)
        return response
    }
}
