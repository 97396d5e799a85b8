import Foundation
import PosternDaemon
import Testing

@Suite struct SettingsReferenceTests {
    @Test func theWrittenReferenceIsTheOneTheCodeMakes() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let written = try String(contentsOf: root.appendingPathComponent("contrib/docs/settings.md"), encoding: .utf8)
        #expect(written == SettingsReference.document(),
                "a setting has changed: write the reference anew with 'postern config reference > contrib/docs/settings.md'")
    }
}
