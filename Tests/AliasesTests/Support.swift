import InternetMessage
import NetworkAddress
import Testing
@testable import Aliases

func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text), "\(text) is no address") }
func domain(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

/// `:include:` files out of a dictionary.
func includes(_ files: [String: String] = [:]) -> IncludeReader {
    IncludeReader { path throws(TableFault) in
        guard let text = files[path] else { throw TableFault("cannot be read: No such file or directory") }
        return text
    }
}

func aliasTable(_ text: String, _ files: [String: String] = [:]) throws -> AliasTable {
    var table = AliasTable()
    try table.add(text, file: "aliases", include: includes(files))
    return table
}

func virtualTable(_ text: String) throws -> VirtualTable {
    var table = VirtualTable()
    try table.add(text, file: "virtual")
    return table
}
