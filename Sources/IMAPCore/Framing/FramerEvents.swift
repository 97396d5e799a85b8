extension CommandFramer {
    public struct Limits: Sendable {
        /// Octets of one command, its literals (but APPEND's message) included. RFC 7162 §4 and RFC 2683 §3.2.1.5 speak of 8,000 at least.
        public var command = 65_536
        /// Octets of one literal other than APPEND's message.
        public var literal = 32_768
        /// Octets of an APPEND message.
        public var append = 50 << 20

        public init(command: Int = 65_536, literal: Int = 32_768, append: Int = 50 << 20) {
            self.command = command
            self.literal = literal
            self.append = append
        }
    }

    public enum Mode: Sendable, Hashable {
        case commands
        /// The next line is an answer inside a command (SASL's response, IDLE's DONE), given as ``Event/line(_:)``;
        /// behind it the mode is ``commands`` again. ``ContinuationLine`` reads the line.
        case line
    }

    public enum Event: Sendable, Equatable {
        /// Send a continuation request; the client waits with a literal of this many octets.
        case needContinuation(size: Int)
        /// One whole command for ``CommandParser/parse(_:)``, literals inline, line end included.
        case command([UInt8])
        /// A line in ``Mode/line``, without its line end.
        case line([UInt8])
        /// A step of an APPEND or REPLACE.
        case append(AppendStep)
        /// The command is over and must be answered with the error's response; drop an append that had begun.
        case failed(CommandError)
        /// As `failed`, but the stream cannot be followed any more: answer, say BYE, close.
        case fatal(CommandError)
    }
}
