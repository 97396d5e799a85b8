import TLS

extension TLSUpgrade {
    /// TLS by the given server context.
    public init(_ context: TLSContext) {
        self.init(makeHandler: { try TLSHandler(server: context) }, isCompletion: { $0 is TLSHandshakeCompleted })
    }
}
