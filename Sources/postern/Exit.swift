import Foundation

/// Ends the process with a plain message when a command fails: no "Error:" prefix, no usage text.
enum Exit {
    static func withMessage(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
            exit(1)
        }
    }
}
