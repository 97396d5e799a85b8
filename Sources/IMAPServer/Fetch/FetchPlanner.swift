import IMAPCore
import InternetMessage
import MailStore

/// One item of a FETCH response, its data found.
enum FetchItem {
    case uid(UInt32), flags([Flag]), internalDate(MailDate), size(Int)
    case envelope(Envelope)
    case structure(MIMEPart, MessageContent, extended: Bool)
    /// ENVELOPE and BODYSTRUCTURE as they go over the wire.
    case encoded(String, [UInt8])
    case octets(String, [UInt8], literal8: Bool)
    /// A run of the message's octets, to be read from the file when its turn comes.
    case stream(String, MessageFile, Range<Int>, literal8: Bool)
    case modSequence(UInt64)
    case preview(String?), saveDate(MailDate?), emailID(String), threadID
    case none(String)
    case binarySize(String, Int)
    case unknownEncoding

    func write(into fetch: inout FetchResponse) {
        switch self {
        case .uid(let uid): fetch.uid(uid)
        case .flags(let flags): fetch.flags(flags)
        case .internalDate(let date): fetch.internalDate(date)
        case .size(let size): fetch.size(size)
        case .envelope(let envelope): fetch.envelope(envelope)
        case .structure(let part, let content, let extended):
            ((try? content.bytes()) ?? []).withUnsafeBytes { fetch.bodyStructure(part, of: $0, extended: extended) }
        case .encoded(let name, let octets): fetch.encoded(name, octets)
        case .octets(let name, let octets, let literal8):
            fetch.literalHeader(name, size: octets.count, literal8: literal8 && octets.contains(0))
            fetch.writer.raw(octets)
        case .stream(let name, _, let range, let literal8): fetch.literalHeader(name, size: range.count, literal8: literal8)
        case .modSequence(let value): fetch.modSequence(value)
        case .preview(let text): fetch.preview(text)
        case .saveDate(let date): fetch.saveDate(date)
        case .emailID(let id): fetch.emailID(id)
        case .threadID: fetch.noThreadID()
        case .none(let name): fetch.null(name)
        case .binarySize(let name, let size): fetch.binarySize(name, size)
        case .unknownEncoding: break
        }
    }
}

/// Finds what a FETCH asks for in one message. Blocks on its file, which it opens only when an item needs it.
struct FetchPlanner {
    let mailbox: Mailbox
    let message: StoredMessage
    let flags: [Flag]
    /// What the index knows; nil: read the message.
    var summaries: SummaryReader?

    func plan(_ attributes: [FetchAttribute]) throws(StoreError) -> [FetchItem] {
        var items: [FetchItem] = []
        var opened: MessageContent?
        for attribute in attributes {
            if let item = try known(attribute) {
                items.append(item)
                continue
            }
            let content: MessageContent
            if let opened { content = opened } else { content = MessageContent(try mailbox.open(uid: message.uid)) }
            opened = content
            items.append(try find(attribute, content))
        }
        return items
    }

    /// What needs no look into the file.
    private func known(_ attribute: FetchAttribute) throws(StoreError) -> FetchItem? {
        switch attribute {
        case .uid: return .uid(message.uid)
        case .flags: return .flags(flags)
        case .internalDate: return .internalDate(.local(try details().internalDate))
        case .size: return .size(try details().size)
        case .modSequence: return .modSequence(message.modSequence)
        case .saveDate: return .saveDate(message.saveDate.map(MailDate.local))
        case .threadID: return .threadID
        case .envelope:
            let envelope = summaries?.summary(of: message.uid)?.envelope ?? []
            return envelope.isEmpty ? nil : .encoded("ENVELOPE", envelope)
        case .bodyStructure:
            let structure = summaries?.summary(of: message.uid)?.structure ?? []
            return structure.isEmpty ? nil : .encoded("BODYSTRUCTURE", structure)
        case .section(let section, let partial, _): return knownFields(attribute.responseName, section, partial)
        default: return nil
        }
    }

    /// `HEADER.FIELDS` of nothing but fields that summaries keep.
    private func knownFields(_ name: String, _ section: BodySection, _ partial: Partial?) -> FetchItem? {
        guard section.part.isEmpty, case .headerFields(let names) = section.specifier, names.allSatisfy({ IMAPSummarizer.fields.contains($0.lowercased()) }),
            let summary = summaries?.summary(of: message.uid), !summary.header.isEmpty else { return nil }
        let found = (summary.header + [13, 10]).withUnsafeBytes { raw in
            SectionExtractor.extract(section, partial: partial, of: raw, structure: MIMEStructure.parse([]))?.octets(of: raw)
        }
        return found.map { .octets(name, $0, literal8: false) }
    }

    private func details() throws(StoreError) -> MessageDetails {
        guard let details = try mailbox.details(of: [message.uid]).first else { throw .noSuchMessage(uid: message.uid) }
        return details
    }

    private func find(_ attribute: FetchAttribute, _ content: MessageContent) throws(StoreError) -> FetchItem {
        switch attribute {
        case .envelope: return .envelope(Envelope(try content.header()))
        case .body: return .structure(try content.structure(), content, extended: false)
        case .bodyStructure: return .structure(try content.structure(), content, extended: true)
        case .preview: return .preview(try content.preview())
        case .emailID: return .emailID(try content.file.emailID())
        case .binary(let part, let partial, _): return try binary(attribute.responseName, part, partial, content)
        case .binarySize(let part): return Self.size(attribute.responseName, of: try binary("", part, nil, content))
        case .binaryTextSize(let section): return Self.size(attribute.responseName, of: try self.section("", section, nil, content))
        default:
            guard let (section, partial) = attribute.bodySection else { return .none(attribute.responseName) }
            return try self.section(attribute.responseName, section, partial, content)
        }
    }

    private func section(_ name: String, _ section: BodySection, _ partial: Partial?, _ content: MessageContent) throws(StoreError) -> FetchItem {
        if section.part.isEmpty {
            switch section.specifier {
            case .whole: return item(name, SectionContent.range(0..<(try details().size)).applying(partial), content, literal8: false)
            case .header, .headerFields, .headerFieldsNot:
                // The header's end is in what was read, so the rest of the message is not needed.
                let found = try content.headerBytes().withUnsafeBytes { raw in
                    SectionExtractor.extract(section, partial: partial, of: raw, structure: MIMEStructure.parse([]))?.octets(of: raw)
                }
                return found.map { .octets(name, $0, literal8: false) } ?? .none(name)
            default: break
            }
        }
        let structure = section.part.isEmpty ? MIMEStructure.parse([]) : try content.structure()
        let found = try content.bytes().withUnsafeBytes { SectionExtractor.extract(section, partial: partial, of: $0, structure: structure) }
        return found.map { item(name, $0, content, literal8: false) } ?? .none(name)
    }

    private func item(_ name: String, _ found: SectionContent, _ content: MessageContent, literal8: Bool) -> FetchItem {
        switch found {
        case .bytes(let bytes): .octets(name, bytes, literal8: literal8)
        case .range(let range): .stream(name, content.file, range, literal8: literal8)
        }
    }

    private func binary(_ name: String, _ part: [Int], _ partial: Partial?, _ content: MessageContent) throws(StoreError) -> FetchItem {
        let structure = part.isEmpty ? MIMEStructure.parse([]) : try content.structure()
        let result = try content.bytes().withUnsafeBytes { raw -> Result<SectionContent, SectionExtractor.BinaryFailure> in
            do throws(SectionExtractor.BinaryFailure) { return .success(try SectionExtractor.binary(part, partial: partial, of: raw, structure: structure)) }
            catch { return .failure(error) }
        }
        switch result {
        case .success(let found): return item(name, found, content, literal8: true)
        case .failure(.noSuchPart): return .none(name)
        case .failure(.unknownEncoding): return .unknownEncoding
        }
    }

    private static func size(_ name: String, of item: FetchItem) -> FetchItem {
        switch item {
        case .octets(_, let octets, _): .binarySize(name, octets.count)
        case .stream(_, _, let range, _): .binarySize(name, range.count)
        case .unknownEncoding: .unknownEncoding
        default: .binarySize(name, 0)
        }
    }
}
