import ArgumentParser
import Foundation
import Policy
import PosternDaemon

/// Which rules a command is about: those of the settings, or files and folders given by name.
struct PolicyFiles: ParsableArguments {
    @Argument(help: ArgumentHelp("Rule files, each a rule set by itself, or folders, each read whole as the server reads it. Default: policy_directory of the settings.", valueName: "file|folder"))
    var paths: [String] = []
    @Option(name: [.long, .short], help: "The settings file, for policy_directory and recipient_delimiter. Default: /etc/postern/postern.toml if it is there.")
    var config: String?

    struct Problem: Error, CustomStringConvertible { let description: String }

    /// What is given by name, else the folder of the settings.
    func targets(_ settings: Settings) throws -> [String] {
        guard paths.isEmpty else { return paths }
        let folder = settings[Known.policyDirectory].path
        guard !folder.isEmpty else { throw Problem(description: "no rules: give files or folders, or a settings file with policy_directory") }
        return [folder]
    }

    func settings() throws -> Settings {
        let standard = "/etc/postern/postern.toml"
        if let config { return try SettingsFile.load(config) }
        if FileManager.default.fileExists(atPath: standard) { return try SettingsFile.load(standard) }
        var defaults = Settings()
        if paths.isEmpty { defaults[Known.policyDirectory] = FilePath("") }
        return defaults
    }

    /// - Throws: ``PolicyErrors``.
    static func load(_ path: String) throws -> RuleSet {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? try RuleSet.load(folder: path) : try RuleSet.load(files: [path])
    }

    /// Runs a command's body; what keeps it from its work ends it with status 2.
    static func run(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let code as ExitCode { throw code } catch {
            FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }
}
