/// Which context serves the name a client asks for (SNI, RFC 6066 §3), as Postfix's `tls_server_sni_maps` has it.
public struct ServerNameTable: Sendable {
    private let exact: [String: TLSContext]
    private let below: [String: TLSContext]

    /// - Parameter entries: by host name, or `.example.org` for every name below; in lower case, A-labels. `*.example.org`,
    ///   as certificates write it, is the same as the latter, but for one label only.
    public init(_ entries: [(name: String, context: TLSContext)]) {
        var exact: [String: TLSContext] = [:], below: [String: TLSContext] = [:]
        for (name, context) in entries {
            if name.hasPrefix(".") { below[String(name.dropFirst())] = context } else { exact[name] = context }
        }
        self.exact = exact
        self.below = below
    }

    public var isEmpty: Bool { exact.isEmpty && below.isEmpty }

    /// The exact name, then a wildcard for its one label, then the nearest parent that has an entry; nil for the default.
    public func context(for name: String) -> TLSContext? {
        guard !isEmpty, name.utf8.count <= 255 else { return nil }
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        if let found = exact[name] { return found }
        var rest = name[...]
        var isFirst = true
        while let dot = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: dot)...]
            if isFirst, let found = exact["*." + rest] { return found }
            if let found = below[String(rest)] { return found }
            isFirst = false
        }
        return nil
    }
}
