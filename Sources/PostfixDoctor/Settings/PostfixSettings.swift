/// A Postfix's settings, as `postconf` tells them.
public struct PostfixSettings: Sendable, Hashable {
    /// One line of master.cf.
    public struct Service: Sendable, Hashable {
        public let name: String
        /// `inet`, `unix`, `fifo`, `pass`, `unix-dgram`.
        public let type: String
        public let isChrooted: Bool
        /// The daemon: `smtpd`, `lmtp`, `cleanup`.
        public let program: String
        /// What follows it, but for the `-o` lines: `-v`.
        public var arguments: [String] = []
        /// Its `-o` lines.
        public var overrides: [String: String] = [:]
    }

    /// Values in force in main.cf, defaults included, `$name` expanded.
    public let main: [String: String]
    /// What main.cf itself says.
    public let written: Set<String>
    public var services: [Service]

    /// What has to be asked of `postconf` by name, since a default counts as much as what main.cf says.
    public static let needed = [
        "compatibility_level", "config_directory", "header_checks", "internal_mail_filter_classes", "local_transport", "mailbox_transport",
        "milter_connect_macros", "milter_data_macros", "milter_default_action", "milter_end_of_data_macros", "milter_helo_macros",
        "milter_macro_daemon_name", "milter_mail_macros", "milter_protocol", "milter_rcpt_macros", "myhostname", "non_smtpd_milters",
        "queue_directory", "recipient_delimiter", "smtpd_milters", "smtpd_sasl_auth_enable", "smtpd_sasl_path", "smtpd_sasl_type",
        "smtpd_tls_wrappermode", "virtual_transport",
    ]

    /// - Parameters:
    ///   - written: `postconf -n`.
    ///   - values: `postconf -x` with the names of ``needed``.
    ///   - services: `postconf -M`.
    ///   - overrides: `postconf -P`.
    public init(written: String, values: String, services: String, overrides: String) {
        main = Self.pairs(values).merging(Self.pairs(written)) { value, _ in value }
        self.written = Set(Self.pairs(written).keys)
        // Postfix 3.0 turned chroot's default (`-`) from y to n (COMPATIBILITY_README).
        let level = Double(main["compatibility_level"] ?? "") ?? 0
        self.services = services.split(whereSeparator: \.isNewline).compactMap { Self.service($0, chrootDefault: level < 1) }
        for (name, value) in Self.pairs(overrides) {
            let parts = name.split(separator: "/", maxSplits: 2).map(String.init)
            guard parts.count == 3 else { continue }
            for index in self.services.indices where self.services[index].name == parts[0] && self.services[index].type == parts[1] {
                self.services[index].overrides[parts[2]] = value
            }
        }
    }

    /// What holds for a service.
    public func value(_ name: String, _ service: Service? = nil) -> String {
        let text = service?.overrides[name] ?? main[name] ?? ""
        // An override may point back at main.cf, or at a setting made for it.
        guard text.hasPrefix("$"), let pointed = main[String(text.dropFirst()).trimming("{}()")] else { return text }
        return pointed
    }

    public var smtpd: [Service] { services.filter { $0.program == "smtpd" } }
    public var mainFile: String { (main["config_directory"] ?? "/etc/postfix") + "/main.cf" }
    public var masterFile: String { (main["config_directory"] ?? "/etc/postfix") + "/master.cf" }
    public var queueDirectory: String { main["queue_directory"] ?? "/var/spool/postfix" }

    /// `name = value`, one a line.
    private static func pairs(_ text: String) -> [String: String] {
        var out: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            out[line[..<equals].trimming(" \t")] = line[line.index(after: equals)...].trimming(" \t")
        }
        return out
    }

    /// `name type private unpriv chroot wakeup maxproc command arguments…`
    private static func service(_ line: Substring, chrootDefault: Bool) -> Service? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard words.count >= 8, !words[0].hasPrefix("#") else { return nil }
        return Service(name: words[0], type: words[1], isChrooted: words[4] == "-" ? chrootDefault : words[4] == "y", program: words[7],
                       arguments: plainArguments(words[8...]))
    }

    /// Without `-o name=value`, `-oname=value` and `-o {name = value}`, which ``overrides`` has.
    private static func plainArguments(_ words: ArraySlice<String>) -> [String] {
        var out: [String] = [], rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("-o") else {
                out.append(word)
                continue
            }
            guard let value = word == "-o" ? rest.popFirst() : String(word.dropFirst(2)), value.hasPrefix("{") else { continue }
            var last = value
            while !last.hasSuffix("}"), let next = rest.popFirst() { last = next }
        }
        return out
    }
}

extension PostfixSettings.Service {
    /// Mail from own users comes in here: by its name or port, or because it alone asks for log-ins.
    public var isSubmission: Bool {
        guard program == "smtpd", type == "inet" else { return false }
        let port = name.split(separator: ":").last.map(String.init) ?? name
        return ["submission", "submissions", "smtps", "587", "465"].contains(port) || overrides["smtpd_tls_wrappermode"] == "yes"
    }

    var isChrootedText: String { isChrooted ? "chrooted" : "not chrooted" }
}

extension StringProtocol {
    func trimming(_ characters: String) -> String {
        var text = self[...]
        while let first = text.first, characters.contains(first) { text = text.dropFirst() }
        while let last = text.last, characters.contains(last) { text = text.dropLast() }
        return String(text)
    }
}
