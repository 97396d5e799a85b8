import IMAPCore
import MailStore
import Testing
@testable import IMAPServer

@Suite struct FolderListingTests {
    private func listing() throws -> FolderListing {
        let rows = try [("INBOX", true, false, true), ("A", false, true, false), ("A/B", true, false, true), ("Sent", true, false, false)].map {
            FolderSummary(name: try FolderName($0.0), exists: $0.1, hasChildren: $0.2, isSubscribed: $0.3)
        }
        return FolderListing(folders: rows, subscribed: [.inbox, try FolderName("A/B"), try FolderName("gone")], uses: [try FolderName("Sent"): [.sent]])
    }

    @Test func wildcardsStopAtTheDelimiterOrNot() throws {
        #expect(try listing().list(ListRequest(reference: "", patterns: ["%"])).map(\.name.text) == ["INBOX", "A", "Sent"])
        #expect(try listing().list(ListRequest(reference: "A/", patterns: ["*"])).map(\.name.text) == ["A/B"])
    }

    /// RFC 5258 §3.1, §3.5.
    @Test func subscribedSelectionShowsWhatIsGoneAndTheParents() throws {
        let entries = try listing().list(ListRequest(reference: "", patterns: ["*"], selection: [.subscribed], isExtended: true))
        #expect(entries.map(\.name.text) == ["INBOX", "A/B", "gone"])
        #expect(entries.last?.attributes.contains(.nonExistent) == true)
        let recursive = try listing().list(ListRequest(reference: "", patterns: ["%"], selection: [.subscribed, .recursiveMatch], isExtended: true))
        #expect(recursive.first { $0.name.text == "A" }?.childInfo == [.subscribed])
    }

    @Test func specialUseSelection() throws {
        #expect(try listing().list(ListRequest(reference: "", patterns: ["*"], selection: [.specialUse])).map(\.name.text) == ["Sent"])
    }
}

@Suite struct FlagMappingTests {
    @Test func keywordsAreNamedOnce() {
        let flags = ["\\Seen", "work", "WORK"].compactMap { Flag($0) }
        let (system, keywords) = FlagMapping.split(flags)
        #expect(system == [.seen])
        #expect(keywords == ["work"])
    }
}
