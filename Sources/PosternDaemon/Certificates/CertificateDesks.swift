import BlockingPool

/// Where a running gateway's attempts to obtain certificates are made: one desk for the real ones, shared by the service and
/// `postern acme`, and one for each trial.
struct CertificateDesks: Sendable {
    private let settings: Settings
    private let ground: LiveParts.Ground
    private let challenges: Challenges
    private let pool: BlockingPool
    private let real: Result<ACMEDesk, any Error>

    init(_ settings: Settings, ground: LiveParts.Ground, challenges: Challenges, pool: BlockingPool) {
        self.settings = settings
        self.ground = ground
        self.challenges = challenges
        self.pool = pool
        real = Result { try Self.make(settings, isTrial: false, ground, challenges, pool) }
    }

    private static func make(_ settings: Settings, isTrial: Bool, _ ground: LiveParts.Ground, _ challenges: Challenges, _ pool: BlockingPool) throws -> ACMEDesk {
        try ACMEDesk(settings, isTrial: isTrial, resolver: ground.resolver, group: ground.group, presenter: challenges, pool: pool, logger: ground.logger)
    }

    /// nil unless `acme` is on.
    func service() throws -> ACMEService? {
        settings[Known.acme] ? ACMEService(desk: try real.get(), pool: pool, logger: ground.logger) : nil
    }

    /// - Throws: when this gateway has no ports for challenges.
    func desk(isTrial: Bool) throws -> ACMEDesk {
        guard settings[Known.acme] else {
            throw Privileges.Failure(description: "the running server does not listen for challenges: set acme = true and restart it, or stop it for the time of this command")
        }
        guard isTrial else { return try real.get() }
        var trial = settings
        trial[Known.acmeDirectory] = ACMEDirectory.staging
        return try Self.make(trial, isTrial: true, ground, challenges, pool)
    }
}
