import Foundation
import Testing
@testable import PosternDaemon

@Suite struct SettingsReferenceTests {
    @Test func theWrittenReferenceIsTheOneTheCodeMakes() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let written = try String(contentsOf: root.appendingPathComponent("contrib/docs/settings.md"), encoding: .utf8)
        #expect(written == SettingsReference.document(),
                "a setting has changed: write the reference anew with 'postern config reference > contrib/docs/settings.md'")
    }

    /// An example that our own reader refuses would be worse than none.
    @Test(arguments: Known.all.map(\.key))
    func everyExampleMayStand(_ key: String) throws {
        let setting = try #require(Settings.declared[key])
        let text = SettingExamples.example(of: setting)
        #expect(throws: Never.self) { try SettingsFile.parse("\(key) = \(text)\n", file: "postern.toml", baseFolder: "/etc/postern") }
        let isEmpty = ["\"\"", "[]", "{}"].contains(setting.defaultText)
        #expect(!isEmpty || text != setting.defaultText, "give \(key) an example in SettingExamples.swift: its default is empty")
    }

    @Test func everyTableLineHasItsColumns() {
        // A bar within a cell would be one too many.
        for line in SettingsReference.markdown().split(separator: "\n") {
            #expect(line.split(separator: "|", omittingEmptySubsequences: false).count == 7, "\(line)")
        }
    }
}
