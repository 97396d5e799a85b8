import InternetMessage
import Testing
@testable import DKIM

@Suite("Key records and tag lists") struct KeyRecordTests {
    private static let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    @Test("Every tag of RFC 6376 §3.6.1") func allTags() throws {
        let record = try DKIMKeyRecord(parsing: Array("v=DKIM1; h=sha1:sha256; k=ed25519; n=for=20you; p=\(Self.key); s=email:x; t=y:s".utf8))
        #expect(record.keyType == .ed25519)
        #expect(record.publicKey.count == 32)
        #expect(record.keyBits == 256)
        #expect(record.hashes == ["sha1", "sha256"])
        #expect(record.services == ["email", "x"])
        #expect(record.flags == ["y", "s"])
        #expect(record.notes == "for=20you")
        #expect(record.isTesting && record.forbidsSubdomains && record.isForEmail && record.allowsSHA256 && !record.isRevoked)
    }

    @Test("Defaults") func defaults() throws {
        let record = try DKIMKeyRecord(parsing: Array(StandardVectorTests.rfc6376Key.dropFirst("v=DKIM1; ".count).utf8))
        #expect(record.keyType == .rsa)
        #expect(record.keyBits == 1024)
        #expect(record.services == ["*"])
        #expect(record.hashes == nil)
        #expect(record.isForEmail && record.allowsSHA256 && !record.isTesting && !record.forbidsSubdomains)
    }

    @Test("A revoked key is a record, not an error") func revoked() throws {
        let record = try DKIMKeyRecord(parsing: Array("v=DKIM1; p=".utf8))
        #expect(record.isRevoked)
        #expect(record.keyBits == 0)
    }

    @Test("White space inside p= means nothing") func spaces() throws {
        let folded = "k=ed25519; p=" + Self.key.map { "\($0) \t" }.joined()
        #expect(try DKIMKeyRecord(parsing: Array(folded.utf8)).publicKey.count == 32)
    }

    @Test("Cut-off and padded DER is no RSA key") func brokenDER() throws {
        let der = try TestKeys.rsa.privateKey.publicOctets()
        #expect(RSAPublicKeyInfo(der: der)?.modulusBits == 2048)
        for count in 0..<der.count { #expect(RSAPublicKeyInfo(der: Array(der.prefix(count))) == nil) }
        #expect(RSAPublicKeyInfo(der: der + [0]) == nil)
    }

    @Test("Base64 both ways, strict") func base64() {
        for (octets, text) in [([UInt8](), ""), ([102], "Zg=="), ([102, 111], "Zm8="), ([102, 111, 111], "Zm9v"), ([255, 254, 253, 0], "//79AA==")] {
            #expect(Base64.encode(octets) == text)
            #expect(Base64.decodeStrictly(text.utf8) == octets)
        }
        for bad in ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v ", "Zm9\u{e9}", "Zm=v"] { #expect(Base64.decodeStrictly(bad.utf8) == nil, "\(bad)") }
    }

    @Test("Tag lists (RFC 6376 §3.2)") func lists() throws {
        let list = try TagList(parsing: Array(" a = 1 ;\r\n b=two  words; c=;d=x=y;".utf8))
        #expect(list.tags.map(\.name) == ["a", "b", "c", "d"])
        #expect(list.tags.map(\.value) == ["1", "two  words", "", "x=y"])
        for bad in ["", ";", "a", "a=1;;", "=1", "a b=1", "a=1;a=2", "a=1;A=2", "a=\u{1}", "_a=1"] {
            #expect(throws: TagList.Failure.self, "\(bad)") { try TagList(parsing: Array(bad.utf8)) }
        }
    }
}
