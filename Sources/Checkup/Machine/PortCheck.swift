import NetworkAddress

/// Whether our ports are ours. Blocks.
public struct PortCheck: Sendable {
    /// A listener of the settings.
    public struct Listener: Sendable, Hashable {
        /// `submission`
        public let name: String
        /// nil: every address.
        public let address: IPAddress?
        public let port: UInt16

        public init(name: String, address: IPAddress?, port: UInt16) {
            self.name = name
            self.address = address
            self.port = port
        }
    }

    private let listeners: [Listener]
    /// Whether a server answers on the control socket.
    private let isRunning: Bool
    private let program: String

    public init(_ listeners: [Listener], isRunning: Bool, program: String = "postern") {
        self.listeners = listeners
        self.isRunning = isRunning
        self.program = program
    }

    public func run() -> [CheckFinding] {
        let sockets = ListeningSockets()
        var out = isRunning ? [] : [CheckFinding("server", "postern serve", .wrong, .safety, "the server does not run: nobody answers on its control socket",
                                                 remedy: "start it: systemctl start postern, or postern serve; its log says why it stopped")]
        out += listeners.compactMap { finding($0, sockets) }
        return out.isEmpty ? [CheckFinding("ports", "listeners", .ok, .receiving, "the server runs and listens on \(names)")] : out
    }

    /// Each port once, in their order, however many addresses it has.
    private var names: String {
        var seen = Set<String>()
        return listeners.map { "\($0.name) \($0.port)" }.filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    private func finding(_ listener: Listener, _ sockets: ListeningSockets) -> CheckFinding? {
        let place = "\(listener.name) port \(listener.port)"
        guard let socket = sockets.listener(listener.address, listener.port) else {
            // Why is told once.
            guard isRunning else { return nil }
            return CheckFinding("port-silent", place, .wrong, .receiving, "nobody listens on \(place)", remedy: "restart the server: the settings changed after its start, or its log says why it could not listen")
        }
        guard let owner = sockets.owner(of: socket) else {
            return isRunning ? nil : CheckFinding("port-taken", place, .unknown, .receiving, "somebody listens on \(place); who cannot be seen by this user: run this as root")
        }
        guard owner.name != program else { return nil }
        return CheckFinding("port-taken", place, .wrong, .receiving, "\(place) is taken by \(owner.name) (process \(owner.pid))",
                            remedy: "stop \(owner.name) and keep it from starting again (systemctl disable --now \(owner.name)), or name another address in the listener's setting")
    }
}
