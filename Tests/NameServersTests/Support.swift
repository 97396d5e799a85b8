import NetworkAddress

func name(_ text: String) -> DomainName { DomainName(text) ?? .root }
