import DecisionRecords

/// What `postern explain` prints of one message.
public struct ExplainReport: Encodable {
    public let record: DecisionRecord
    /// What the queue made of its copies.
    public let deliveries: [DeliveryRecord]
    public let story: [String]

    public init(_ record: DecisionRecord, deliveries: [DeliveryRecord], source: RuleSource) {
        self.record = record
        self.deliveries = deliveries
        story = Story(record, deliveries: deliveries, source: source).lines
    }

    public var text: String { story.joined(separator: "\n") }
}
