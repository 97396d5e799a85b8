import Foundation
import Testing
@testable import Archives

@Suite struct ArchiveListerTests {
    private func list(_ bytes: [UInt8], named name: String, limits: ArchiveLimits = ArchiveLimits()) -> ArchiveContents {
        var lister = ArchiveLister(limits: limits)
        lister.look(at: bytes, named: name)
        return lister.contents
    }

    @Test(arguments: ["two.zip", "two.7z", "two.tar", "two.tar.gz", "two.tar.xz", "two.tar.zst", "two.tar.bz2"]) func kinds(_ name: String) throws {
        let contents = list(try Samples.bytes(name), named: name)
        #expect(Set(contents.names.filter { !$0.hasSuffix("/") }) == ["readme.txt", "run/setup.exe"])
        #expect(!contents.isEncrypted && !contents.isUnreadable)
    }

    /// The content counts, not what the sender calls it.
    @Test func aFalseNameHidesNothing() throws {
        #expect(list(try Samples.bytes("two.zip"), named: "holiday.jpg").names.contains("run/setup.exe"))
    }

    @Test func archivesWithinArchives() throws {
        let contents = list(try Samples.bytes("nested.zip"), named: "nested.zip")
        #expect(contents.names.contains("inner.zip") && contents.names.contains("run/setup.exe"))
        var shallow = ArchiveLimits()
        shallow.depth = 1
        let outer = list(try Samples.bytes("nested.zip"), named: "nested.zip", limits: shallow)
        #expect(!outer.names.contains("run/setup.exe") && outer.isUnreadable)
    }

    @Test func aBareCompressedFileHasItsOwnName() throws {
        let contents = list(try Samples.bytes("setup.exe.gz"), named: "setup.exe.gz")
        #expect(contents.names == ["setup.exe"] && !contents.isUnreadable)
    }

    @Test func passwords() throws {
        let contents = list(try Samples.bytes("locked.zip"), named: "locked.zip")
        #expect(contents.isEncrypted && contents.names == ["setup.exe"] && !contents.isUnreadable)
    }

    @Test func namesThatAreNotASCII() throws {
        #expect(list(try Samples.bytes("umlaut.zip"), named: "umlaut.zip").names == ["grüße.exe"])
    }

    @Test func notAnArchive() {
        #expect(list(Array("%PDF-1.4 hello".utf8), named: "a.pdf") == ArchiveContents())
        #expect(list([], named: "") == ArchiveContents())
    }

    @Test func whatCannotBeReadIsSaid() throws {
        #expect(list(Array("no archive at all".utf8), named: "a.zip").isUnreadable)
        #expect(list(Array("`ARJ".utf8), named: "a.arj").isUnreadable)
        let whole = try Samples.bytes("two.tar.gz")
        #expect(list(Array(whole.prefix(whole.count / 2)), named: "a.tar.gz").isUnreadable)
    }

    /// Eight mebibytes of zeros in eight kilobytes: the look ends at its limit, not at the end of the file.
    @Test func bombs() throws {
        var limits = ArchiveLimits()
        limits.bytes = 1 << 20
        let contents = list(try Samples.bytes("bomb.tar.gz"), named: "bomb.tar.gz", limits: limits)
        #expect(contents.isUnreadable && contents.names == ["zeros"])
        var few = ArchiveLimits()
        few.entries = 1
        #expect(list(try Samples.bytes("two.zip"), named: "two.zip", limits: few).isUnreadable)
        var none = ArchiveLimits()
        none.time = .zero
        #expect(list(try Samples.bytes("two.zip"), named: "two.zip", limits: none).isUnreadable)
    }

    /// Hostile octets end in an answer.
    @Test func damagedArchives() throws {
        var random = SystemRandomNumberGenerator()
        for name in ["two.zip", "two.7z", "two.tar.gz", "locked.zip", "two.tar.xz"] {
            let whole = try Samples.bytes(name)
            for _ in 0..<200 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...8, using: &random) { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
                _ = list(bytes, named: name)
            }
        }
    }
}

/// Archives made beforehand: by Python, zstd, and the 7z by bsdtar.
enum Samples {
    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Resources/"
        return Array(try Data(contentsOf: URL(filePath: folder + name)))
    }
}
