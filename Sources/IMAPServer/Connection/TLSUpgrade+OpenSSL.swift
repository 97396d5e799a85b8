import TLS

extension TLSUpgrade {
    /// TLS by the given server context.
    public init(_ context: TLSContext) {
        self.init(makeHandler: { try TLSHandler(server: context) }, completion: { event in
            (event as? TLSHandshakeCompleted).map { Completion(channelBindings: $0.channelBindings) }
        })
    }
}
