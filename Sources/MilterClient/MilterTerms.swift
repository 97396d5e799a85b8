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
        try await link.send([offer.finish()])
        guard case .negotiate(let chosen, let wanted, let flags, let macros) = try await link.next(within: configuration.commandTimeout, "negotiation") else {
            throw MilterClientError.babble("no answer to the negotiation")
        }
        guard (2...version).contains(chosen) else { throw MilterClientError.version(chosen) }
        guard wanted.isSubset(of: actions), flags.isSubset(of: .offered(version: version)) else {
            throw MilterClientError.babble("it wants what was not offered")
        }
        return MilterTerms(version: chosen, flags: flags, macros: macros)
    }
}
