import BlockingPool
import Milter
import NetworkAddress
import SMTPCore

/// XCLIENT: the session goes on as if the client had connected itself.
extension SMTPSession {
    func replaceClient(_ override: ClientOverride) {
        closeFilters()
        filters = FilterState(environment.chain(listener), facts: facts(override))
        hello = ""
        if let helo = override.helo { helloOfClient = helo.value }
        if override.login != nil { account = nil }
        if override.address != nil || override.name != nil { hasLookedUpName = override.name != nil }
        environment.logger.debug("client behind a proxy", metadata: ["client": "\(filters.facts.clientAddress?.description ?? "-")"])
        askConnect()
    }

    private func facts(_ override: ClientOverride) -> ConnectionFacts {
        var facts = filters.facts
        if let address = override.address {
            facts.clientAddress = address.value
            facts.clientPort = nil
            facts.clientName = nil
            // The proxy's TLS session says nothing of the client's.
            facts.tls = nil
            // Of an unknown client nothing is believed, least of all that it is one of ours.
            facts.isOwnNetwork = environment.configuration.isOwn(address.value)
        }
        if let name = override.name { facts.clientName = name.value }
        if let port = override.port { facts.clientPort = port.value }
        if let address = override.destinationAddress { facts.localAddress = address.value }
        if let port = override.destinationPort { facts.localPort = port.value }
        if let login = override.login {
            facts.authenticatedUser = login.value
            facts.authenticationMechanism = login.value == nil ? nil : "XCLIENT"
        }
        return facts
    }

    /// The client before is gone, in the eyes of its filters.
    private func closeFilters() {
        guard !filters.isEmpty else { return }
        let (chain, before) = (filters.chain, cleanup)
        cleanup = startAtOnce {
            await before?.value
            await chain.close()
        }
    }
}
