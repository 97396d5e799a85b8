import CMilter
import Foundation

/// libmilter's table of callbacks. Each is a plain C function: it finds its conversation in the session's private
/// pointer and hands over.
enum Callbacks {
    /// The table without a name, which is the caller's to lend.
    static func description() -> smfiDesc {
        var table = smfiDesc()
        table.xxfi_version = SMFI_VERSION
        // What the negotiation may ask at the most.
        table.xxfi_flags = UInt(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR
            | SMFIF_DELRCPT | SMFIF_CHGFROM | SMFIF_QUARANTINE | SMFIF_SETSYMLIST)
        table.xxfi_negotiate = { context, actions, steps, _, _, agreedActions, agreedSteps, _, _ in
            guard let context, let server = MilterServer.current else { return SMFIS_REJECT }
            let agreed = server.negotiate(offeredActions: Int(actions), offeredProtocol: Int(steps), in: context)
            if agreed.actions & SMFIF_SETSYMLIST != 0 {
                for (place, names) in Negotiation.macros { _ = postern_smfi_setsymlist(context, place, names) }
            }
            agreedActions?.pointee = UInt(agreed.actions)
            agreedSteps?.pointee = UInt(agreed.protocolSteps)
            return SMFIS_CONTINUE
        }
        table.xxfi_connect = { context, hostname, address in
            guard let context, let conversation = Callbacks.open(in: context) else { return SMFIS_TEMPFAIL }
            return conversation.connect(hostname: Callbacks.text(hostname), address: address, context: context)
        }
        table.xxfi_helo = { context, name in
            Callbacks.with(context) { $0.helo(Callbacks.text(name), context: $1) }
        }
        table.xxfi_envfrom = { context, arguments in
            Callbacks.with(context) { $0.mail(Callbacks.texts(arguments), context: $1) }
        }
        table.xxfi_envrcpt = { context, arguments in
            Callbacks.with(context) { $0.rcpt(Callbacks.texts(arguments), context: $1) }
        }
        table.xxfi_data = { context in Callbacks.with(context) { $0.data(context: $1) } }
        table.xxfi_header = { context, name, value in
            Callbacks.with(context) { conversation, _ in
                conversation.header(name: Callbacks.text(name), value: Callbacks.octets(value))
            }
        }
        table.xxfi_body = { context, chunk, count in
            Callbacks.with(context) { $0.body(UnsafeBufferPointer(start: chunk, count: count), context: $1) }
        }
        table.xxfi_eom = { context in Callbacks.with(context) { $0.endOfMessage(context: $1) } }
        table.xxfi_abort = { context in
            Callbacks.with(context) { conversation, _ in
                conversation.abort()
                return SMFIS_CONTINUE
            }
        }
        table.xxfi_close = { context in
            if let context { Callbacks.close(in: context) }
            return SMFIS_CONTINUE
        }
        return table
    }

    // MARK: the private pointer
    // From connect to close it holds a Conversation, retained once and released at close, and otherwise null. libmilter
    // calls xxfi_close once at each session's end, however it ends: quit, a lost connection, garbage, its own time-out.

    private static func conversation(in context: OpaquePointer) -> Conversation? {
        smfi_getpriv(context).map { Unmanaged<Conversation>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func open(in context: OpaquePointer) -> Conversation? {
        close(in: context)
        guard let conversation = MilterServer.current?.makeConversation(in: context) else { return nil }
        smfi_setpriv(context, Unmanaged.passRetained(conversation).toOpaque())
        return conversation
    }

    private static func close(in context: OpaquePointer) {
        guard let pointer = smfi_getpriv(context) else { return }
        smfi_setpriv(context, nil)
        Unmanaged<Conversation>.fromOpaque(pointer).takeRetainedValue().close()
    }

    /// - Returns: what the conversation says. Without one (a filter chain that wants nothing skips connect) go on.
    private static func with(_ context: OpaquePointer?, _ body: (Conversation, OpaquePointer) -> sfsistat) -> sfsistat {
        guard let context, let conversation = conversation(in: context) else { return SMFIS_CONTINUE }
        return body(conversation, context)
    }

    // MARK: C strings

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

    private static func octets(_ pointer: UnsafePointer<CChar>?) -> [UInt8] {
        guard let pointer else { return [] }
        return pointer.withMemoryRebound(to: UInt8.self, capacity: strlen(pointer)) { Array(UnsafeBufferPointer(start: $0, count: strlen(pointer))) }
    }

    /// A list of strings that ends with a null.
    private static func texts(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
        var out: [String] = []
        guard var next = list else { return out }
        while let word = next.pointee {
            out.append(String(cString: word))
            next += 1
        }
        return out
    }
}
