import IMAPCore
import InternetMessage

func command(_ text: String) throws -> Command { try CommandParser.parse(Array(text.utf8)).command }

func failure(_ text: String) -> CommandError? {
    do {
        _ = try CommandParser.parse(Array(text.utf8))
        return nil
    } catch {
        return error
    }
}

func wire(_ response: Response) -> String { String(decoding: response.bytes, as: UTF8.self) }

func crlf(_ text: String) -> [UInt8] { LineEnds.toCRLF(Array(text.utf8)) }
