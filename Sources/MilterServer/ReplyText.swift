import CMilter
import Foundation
import InternetMessage

/// A reply in the form libmilter takes.
struct ReplyText: Equatable {
    let code: String
    let enhancedCode: String?
    let lines: [String]

    /// A percent sign is doubled: an MTA undoes it (smfi_setreply: the text passes a printf on Sendmail's side).
    init(_ reply: SMTPReply) {
        code = String(reply.code)
        enhancedCode = reply.enhancedCode
        lines = reply.lines.prefix(Int(POSTERN_MAX_REPLY_LINES)).map { $0.replacing("%", with: "%%") }
    }

    /// Sets it as the reply of the callback that runs.
    func set(in context: OpaquePointer) -> Bool {
        let copies = lines.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer($0) }
        return postern_smfi_setmlreply(context, code, enhancedCode, pointers, Int32(pointers.count)) == MI_SUCCESS
    }
}
