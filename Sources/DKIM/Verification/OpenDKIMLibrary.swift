import COpenDKIM

/// libopendkim could not be set up.
public struct DKIMLibraryFailure: Error, CustomStringConvertible {
    public let call: String
    public var description: String { "libopendkim: \(call) failed; is there memory left?" }
}

/// One `DKIM_LIB`: options and the key callback, nothing else.
///
/// Sendable by proof: every option is set in `init` and never again, so threads only read it. What libopendkim writes
/// through it otherwise (its query cache, its resolver) is switched off or unreachable: no cache flag is set, and the key
/// callback always answers, so no DNS service is ever started.
final class OpenDKIMLibrary: @unchecked Sendable {
    let handle: OpaquePointer

    /// - Parameters:
    ///   - clockDrift: seconds of tolerance for t= and x=; libopendkim looks at the system's clock.
    init(clockDrift: Int) throws(DKIMLibraryFailure) {
        guard let handle = dkim_init(nil, nil) else { throw DKIMLibraryFailure(call: "dkim_init") }
        self.handle = handle
        // DELAYSIGPROC: no key is asked for before end of message. BADSIGHANDLES: every DKIM-Signature field, good or
        // bad, has its place in the list, so that list and fields can be matched by position.
        var flags = UInt32(DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES)
        var drift = UInt64(max(clockDrift, 0))
        guard dkim_options(handle, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, MemoryLayout.size(ofValue: flags)) == DKIM_STAT_OK,
            dkim_options(handle, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift, MemoryLayout.size(ofValue: drift)) == DKIM_STAT_OK,
            dkim_set_key_lookup(handle, keyFromMemory) == DKIM_STAT_OK else {
            dkim_close(handle)
            throw DKIMLibraryFailure(call: "dkim_options")
        }
    }

    deinit { dkim_close(handle) }
}

/// The keys that a running verification may ask for, by signature handle. Lives on the stack of one thread's run.
final class KeysInMemory {
    /// Octets that libopendkim's buffer holds, with the final NUL.
    static let bufferSize = 1025
    var records: [OpaquePointer: [UInt8]] = [:]
}

/// Called by `dkim_eom` on the thread that runs it. A signature without a key here gets `NOTFOUND`; `DEFAULT` would send
/// libopendkim to the DNS by itself.
private let keyFromMemory: @convention(c) (OpaquePointer?, OpaquePointer?, UnsafeMutablePointer<UInt8>?, Int) -> DKIM_CBSTAT = { dkim, signature, buffer, size in
    guard let signature, let buffer, let context = dkim_get_user_context(dkim),
        let record = Unmanaged<KeysInMemory>.fromOpaque(context).takeUnretainedValue().records[signature],
        record.count < size else { return DKIM_CBSTAT(DKIM_CBSTAT_NOTFOUND) }
    for (index, byte) in record.enumerated() { buffer[index] = byte }
    buffer[record.count] = 0
    return DKIM_CBSTAT(DKIM_CBSTAT_CONTINUE)
}
