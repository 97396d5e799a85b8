import Milter

/// The places in a header as a milter counts them. An MTA hides the Received field that it has put on top itself, and so a
/// scripted filter that an SMTP front end runs in process must count past it, where libmilter's fixture need not.
struct MilterPlaces {
    /// Where the MTA's own Received field stands; nil when the filter is not shown it.
    let own: Int?

    init(_ transaction: Transaction) {
        let isShown = transaction.connection.listener != "milter"
        own = isShown ? transaction.message.header.fields.firstIndex { $0.isNamed("Received") } : nil
    }

    /// For an insertion: at or above the own field's place stays above it.
    func place(_ index: Int) -> Int { own.map { index > $0 ? index + 1 : index } ?? index }

    func occurrence(_ number: Int, of name: String) -> Int {
        own != nil && name.lowercased() == "received" && number > 0 ? number + 1 : number
    }
}
