import Diagnostics
import NetworkAddress
import Testing

@Suite struct ResolverAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1@53"), ("127.0.0.1:5353", "127.0.0.1@5353"), ("127.0.0.1@5353", "127.0.0.1@5353"),
        ("[::1]:5353", "::1@5353"), ("[::1]", "::1@53"), ("::1", "::1@53"), ("2001:db8::1@54", "2001:db8::1@54"),
        ("localhost:5353", "127.0.0.1@5353"),
    ])
    func understands(_ text: String, _ forwarder: String) {
        #expect(ResolverAddress(text)?.forwarder == forwarder)
    }

    @Test(arguments: ["", ":53", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "dns.example:53", "[::1", "[::1]x", "127.0.0.1:-1"])
    func refuses(_ text: String) { #expect(ResolverAddress(text) == nil) }
}

@Suite struct SenderArgumentTests {
    @Test(arguments: ["", "<>"]) func theNullSender(_ text: String) { #expect(SenderArgument(text).path == nil) }

    @Test(arguments: [
        ("alice@example.org", "alice", "example.org"), ("<alice@example.org>", "alice", "example.org"),
        ("\"a@b\"@example.org", "\"a@b\"", "example.org"), ("example.org", "", "example.org"), ("@example.org", "", "example.org"),
        ("alice@", "alice", ""),
    ])
    func splits(_ text: String, _ local: String, _ domain: String) {
        let path = SenderArgument(text).path
        #expect(path?.localPart == local)
        #expect(path?.domain == domain)
    }
}
