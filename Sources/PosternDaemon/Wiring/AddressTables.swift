import Aliases
import InternetMessage
import NetworkAddress

/// The alias tables that the settings name, and the rewriting of senders.
struct AddressTables: Sendable {
    let expander: AddressExpander
    /// Domains that are ours by a virtual table or `virtual_alias_domains`.
    let virtualDomains: Set<DomainName>
    let catchAll: [DomainName: String]
    /// nil when `srs` is off.
    let srs: SRSRewriter?
    /// Worth a look, but no errors.
    let remarks: [String]

    /// Reads the files. Blocks.
    /// - Parameter srsSecrets: without any nothing is rewritten.
    /// - Throws: ``TableError`` with every fault of every file.
    init(_ settings: Settings, srsSecrets: [[UInt8]]) throws(TableError) {
        var faults: [TableFault] = []
        var virtual = settings[Known.virtualAliases].table, aliases = AliasTable()
        for file in settings[Known.virtualAliasMaps] {
            do throws(TableError) { try virtual.add(try Self.text(file), file: file.path) } catch { faults += error.faults }
        }
        for file in settings[Known.aliasMaps] {
            do throws(TableError) { try aliases.add(try Self.text(file), file: file.path, include: .files) } catch { faults += error.faults }
        }
        guard faults.isEmpty else { throw TableError(faults: faults) }
        expander = AddressExpander(virtual: virtual, aliases: aliases, rules: Self.rules(settings))
        virtualDomains = virtual.domains.union(settings[Known.virtualAliasDomains])
        catchAll = settings[Known.catchAll].accounts
        srs = settings[Known.srs] && !srsSecrets.isEmpty ? SRSRewriter(domain: settings.srsDomain, secrets: srsSecrets) : nil
        remarks = virtual.remarks + aliases.remarks
    }

    private static func text(_ file: TableSetting) throws(TableError) -> String {
        do throws(TableFault) { return try TableFile.read(file.path) } catch { throw TableError(faults: [error]) }
    }

    private static func rules(_ settings: Settings) -> AddressExpander.Rules {
        var rules = AddressExpander.Rules(origin: settings[Known.mydestination].first ?? settings[Known.myhostname])
        rules.localDomains = Set(settings[Known.mydestination])
        rules.delimiters = settings[Known.recipientDelimiter]
        let propagates = settings[Known.propagateExtensions].map(\.word)
        rules.virtualPropagates = propagates.contains(.virtual)
        rules.aliasPropagates = propagates.contains(.alias)
        rules.depthLimit = settings[Known.virtualRecursionLimit]
        rules.sizeLimit = settings[Known.virtualExpansionLimit]
        return rules
    }
}

extension Settings {
    /// Where rewritten senders are.
    var srsDomain: DomainName { DomainName(self[Known.srsDomain]).flatMap { $0.isRoot ? nil : $0 } ?? self[Known.mydestination].first ?? self[Known.myhostname] }

    var srsSecretsPath: String {
        let named = self[Known.srsSecretsFile].path
        return named.isEmpty ? self[Known.dataDirectory].path + "/srs.secret" : named
    }
}
