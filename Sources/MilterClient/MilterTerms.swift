/// What was agreed on with a milter (SMFIC_OPTNEG).
struct MilterTerms: Sendable {
    var version: UInt32 = 6
    var flags: MilterProtocolFlags = []
    /// Macro names by stage number, where the milter named them itself.
    var macros: [UInt32: [String]] = [:]

    /// Offers the highest version; a milter answers with its own, 2 at the least.
    static func negotiate(_ link: MilterConnection, _ configuration: MilterClientConfiguration) async throws -> MilterTerms {
        let version = configuration.maximumVersion
        let actions: MilterActions = version >= 6 ? .all : MilterActions(rawValue: MilterActions.all.rawValue & (version >= 4 ? 0xff : 0x3f))
        var offer = MilterPacketWriter(.negotiate)
        offer.number(version)
        offer.number(actions.rawValue)
        offer.number(MilterProtocolFlags.offered(version: version).rawValue)
        try await link.send([offer.finish()], within: configuration.commandTimeout)
        guard case .negotiate(let chosen, let wanted, let flags, let macros) = try await link.next(within: configuration.commandTimeout, "negotiation") else {
            throw MilterClientError.babble("no answer to the negotiation")
        }
        guard (2...version).contains(chosen) else { throw MilterClientError.version(chosen) }
        guard wanted.isSubset(of: actions) else {
            throw MilterClientError.babble("it wants to do what was not offered (\(wanted.subtracting(actions).rawValue))")
        }
        // Flags beyond the offer are not refused, with Postfix: what it will not answer must not be waited for.
        return MilterTerms(version: chosen, flags: flags, macros: macros)
    }
}
