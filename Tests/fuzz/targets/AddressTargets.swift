@testable import DMARC
@testable import InternetMessage
@testable import NetworkAddress

/// Addresses, names and what is written about them.
enum AddressTargets {
    static let addresses: FuzzTarget = { input in
        let list = AddressList.parse(input)
        _ = AddressList.parse(input, allowsBareNames: true)
        for mailbox in list.mailboxes { if let address = mailbox.address { roundTrip(address) } }
        if let address = EmailAddress(String(decoding: input, as: UTF8.self)) { roundTrip(address) }
        var parser = PathParser(input)
        if case .mailbox(let address)? = parser.path() { roundTrip(address) }
        let author = FromDomains([HeaderField(name: "From", rawValue: input)])
        for domain in author.domains { check(domain) }
        if let address = IPAddress(String(decoding: input, as: UTF8.self)) { expect(IPAddress(address.description) == address, "\(address) reads otherwise") }
        if let network = IPNetwork(String(decoding: input, as: UTF8.self)) { _ = network.contains(network.address) }
    }

    /// What we write of an address reads as that address, and nothing can hide in it.
    private static func roundTrip(_ address: EmailAddress) {
        let text = address.description
        expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "a control character in \(text.debugDescription)")
        expect(EmailAddress(text) == address || text.utf8.count > 254, "\(text.debugDescription) is not \(address.localPart.debugDescription) at \(address.domainText)")
        var parser = PathParser(Array("<\(text)> X".utf8))
        let path = parser.path()
        expect(path == .mailbox(address) || text.utf8.count > 254, "<\(text)> reads as \(String(describing: path))")
        if let name = address.domainName { check(name) }
        let (base, detail) = address.splittingDetail(delimiters: "+-")
        expect(!base.localPart.isEmpty && (detail != nil || base == address), "\(address) splits into \(base)")
    }

    static func check(_ name: DomainName) {
        expect(DomainName(name.text) == name, "\(name.text.debugDescription) is not its own name")
        expect(name.text.utf8.allSatisfy { $0 > 32 && $0 < 127 }, "\(name.text.debugDescription)")
        let shown = name.unicode
        expect(!shown.unicodeScalars.contains { $0.value < 33 || $0.value == 127 }, "\(name) is shown as \(shown.debugDescription)")
        // What is shown must be the name: else one domain could be shown as another.
        expect(DomainName(shown) == name, "\(name) is shown as \(shown.debugDescription), which is \(String(describing: DomainName(shown)))")
    }

    static let domain: FuzzTarget = { input in
        let text = String(decoding: input, as: UTF8.self)
        if let name = DomainName(text) {
            check(name)
            if let parent = name.parent { expect(name.isSame(orBelow: parent), "\(name) is not below \(parent)") }
        }
        _ = DomainName(queryName: text)
        if let encoded = Punycode.encode(text), encoded.utf8.count <= 63 { expect(Punycode.decode(encoded) == text, "\(text.debugDescription) → \(encoded) → \(Punycode.decode(encoded).debugDescription)") }
        _ = Punycode.decode(text)
    }

    /// A field of ours says what was put into it and no more, whatever a sender's address holds.
    static let authenticationResults: FuzzTarget = { input in
        if let results = AuthenticationResults(parsing: input) {
            let field = results.field
            let again = AuthenticationResults(field)
            // Control octets are blanks once written: from then on nothing changes.
            expect(again?.field == field || field.rawValue.count > 1 << 16, "read \(results)\nwrote \(field)\nread \(String(describing: again))")
            expect(again.map { $0.results.map(\.method) == results.results.map(\.method) && $0.results.map(\.result) == results.results.map(\.result) } ?? true, "other results: \(field)")
        }
        let texts = Choices(input).texts().map { String(decoding: $0, as: UTF8.self) }
        guard texts.count >= 3 else { return }
        let made = AuthenticationResults(authservID: texts[0].isEmpty ? "mx" : texts[0], results: [
            .init("spf", "pass", reason: texts[1], properties: [.init("smtp", "mailfrom", texts[2])]), .init("dkim", "fail", properties: [.init("header", "d", texts[1])]),
        ])
        let wire = made.field.bytes + [13, 10]
        expect(MessageHeader.parse(wire[...]).header.fields.count == 1, "more than one field: \(made.field)")
        guard let read = AuthenticationResults(made.field) else { return expect(wire.count > 1 << 16, "not readable: \(made.field)") }
        expect(read.results.map(\.method) == ["spf", "dkim"] && read.results.map(\.result) == ["pass", "fail"], "injected: \(made.field)")
        let expected = texts[2].unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : String($0) }.joined()
        expect(read.results[0].value("smtp", "mailfrom") == expected, "\(expected.debugDescription) reads as \(String(describing: read.results[0].value("smtp", "mailfrom")))")
    }
}
