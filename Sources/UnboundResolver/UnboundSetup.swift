import CUnbound
import DNS
import Foundation
import NetworkAddress

/// Makes a configured `ub_ctx`. The order matters: options, forwarders, trust anchor, and local zones and data last,
/// since they finalise the context.
enum UnboundSetup {
    static func context(_ configuration: UnboundConfiguration) throws -> OpaquePointer {
        guard let context = ub_ctx_create() else { throw UnboundError(what: "ub_ctx_create", reason: "out of memory") }
        do {
            try configure(context, configuration)
            return context
        } catch {
            ub_ctx_delete(context)
            throw error
        }
    }

    private static func configure(_ context: OpaquePointer, _ configuration: UnboundConfiguration) throws {
        try check(ub_ctx_async(context, 1), "threads")
        try option(context, "do-not-query-localhost:", "no")
        // Everything here asks with its own deadline; a message must not wait for unbound's patience.
        try option(context, "prefetch:", "yes")
        // A name server that is slow with one domain must not be given up for all others.
        try option(context, "infra-keep-probing:", "yes")
        // Reverse names of private and documentation networks are upstream's to answer, as a site's own resolver may.
        try option(context, "unblock-lan-zones:", "yes")
        try option(context, "insecure-lan-zones:", "yes")
        if !configuration.offline { try upstream(context, configuration) }
        try localData(context, configuration)
    }

    private static func upstream(_ context: OpaquePointer, _ configuration: UnboundConfiguration) throws {
        if configuration.forwarders.isEmpty {
            try check(ub_ctx_resolvconf(context, nil), "/etc/resolv.conf")
        }
        for forwarder in configuration.forwarders { try check(ub_ctx_set_fwd(context, forwarder), "forwarder \(forwarder)") }
        if let file = configuration.trustAnchorFile {
            guard access(file, R_OK) == 0 else { throw UnboundError(what: "trust anchor file \(file)", reason: String(cString: strerror(errno))) }
            try check(ub_ctx_add_ta_file(context, file), "trust anchor file \(file)")
        }
    }

    private static func localData(_ context: OpaquePointer, _ configuration: UnboundConfiguration) throws {
        if configuration.offline {
            // A static root: what is not local data does not exist, and no packet leaves.
            try check(ub_ctx_zone_add(context, ".", "static"), "local zone .")
        }
        // Names that libunbound answers with NXDOMAIN by itself hide local data below them; a chosen forwarder may know them too.
        for builtIn in ["test.", "invalid.", "localhost.", "127.in-addr.arpa."]
        where !configuration.forwarders.isEmpty || configuration.localData.contains(where: { DomainName(builtIn).map($0.name.isSame(orBelow:)) ?? false }) {
            try check(ub_ctx_zone_remove(context, builtIn), "local zone \(builtIn)")
        }
        // A SOA says that the whole zone is ours: what it does not have does not exist, and nobody else is asked. Local
        // data alone would make a transparent zone, whose other names go upstream.
        for record in configuration.localData where record.type == .soa {
            try check(ub_ctx_zone_add(context, record.name.presentation, "static"), "local zone \(record.name)")
        }
        for record in configuration.localData {
            // RFC 3597's form says any RDATA exactly, with no quoting to get wrong.
            let hex = record.rdata.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
            let text = "\(record.name.presentation) \(record.timeToLive) IN TYPE\(record.type.rawValue) \\# \(record.rdata.count) \(hex)"
            try check(ub_ctx_data_add(context, text), "local data for \(record.name)")
        }
    }

    private static func option(_ context: OpaquePointer, _ name: String, _ value: String) throws {
        try check(ub_ctx_set_option(context, name, value), name)
    }

    private static func check(_ error: Int32, _ what: String) throws {
        guard error == 0 else { throw UnboundError(what: what, reason: String(cString: ub_strerror(error))) }
    }
}

/// Turns a `ub_result` into a ``DNSResponse``.
enum UnboundAnswer {
    private static let nameError: Int32 = 3

    static func response(_ error: Int32, _ result: UnsafeMutablePointer<ub_result>?) -> DNSResponse {
        guard error == 0, let result = result?.pointee else {
            return DNSResponse(.temporaryFailure(error == 0 ? "no answer" : String(cString: ub_strerror(error))))
        }
        // A bogus answer may still carry data: the flag comes first.
        guard result.bogus == 0 else {
            return DNSResponse(.temporaryFailure("DNSSEC: " + (result.why_bogus.map { String(cString: $0) } ?? "validation failed")))
        }
        let secure = result.secure != 0
        let canonical = result.canonname.flatMap { DomainName(String(cString: $0)) }
        let seconds = UInt32(clamping: result.ttl)
        func made(_ outcome: DNSResponse.Outcome) -> DNSResponse {
            DNSResponse(outcome, isSecure: secure, canonicalName: canonical, timeToLive: seconds)
        }
        if result.havedata != 0 { return made(.records(records(result))) }
        if result.nxdomain != 0 || result.rcode == nameError { return made(.nameError) }
        return result.rcode == 0 ? made(.noData) : DNSResponse(.temporaryFailure("the name server answered " + DNSResponseCode.name(Int(result.rcode))))
    }

    private static func records(_ result: ub_result) -> [[UInt8]] {
        var out: [[UInt8]] = []
        var index = 0
        while let data = result.data[index] {
            let length = Int(result.len[index])
            out.append(Array(UnsafeRawBufferPointer(start: data, count: max(length, 0))))
            index += 1
        }
        return out
    }
}
