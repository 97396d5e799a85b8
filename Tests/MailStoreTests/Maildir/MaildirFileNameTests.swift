import Testing
@testable import MailStore

@Suite struct MaildirFileNameTests {
    @Test func flagsKeywordsAndSizesAreRead() {
        let name = MaildirFileName("1276528487.M364837P9451.kurkku,S=1355,W=1394:2,FSac")
        #expect(name.base == "1276528487.M364837P9451.kurkku,S=1355,W=1394")
        #expect(name.flags == [.flagged, .seen])
        #expect(name.keywords == 0b101)
        #expect(name.virtualSize == 1394)
        #expect(name.physicalSize == 1355)
        #expect(name.nameInCur == "1276528487.M364837P9451.kurkku,S=1355,W=1394:2,FSac")
    }

    @Test func foreignInfoIsNoFlags() {
        #expect(MaildirFileName("x:1,S").flags == [])
        #expect(MaildirFileName("x").base == "x")
        #expect(MaildirFileName("x:2,S,T").flags == [.seen])
    }

    @Test func lettersAreWrittenInASCIIOrder() {
        let name = MaildirFileName(base: "x", flags: [.deleted, .draft, .answered, .seen, .flagged, .passed], keywords: 1 << 25 | 1)
        #expect(name.nameInCur == "x:2,DFPRSTaz")
    }

    @Test func arrivalOrderIsNumeric() {
        #expect(Arrival(base: "9.M1P1Q9.h") < Arrival(base: "10.M1P1Q1.h"))
        #expect(Arrival(base: "10.M2P1Q9.h") < Arrival(base: "10.M10P1Q1.h"))
        #expect(Arrival(base: "10.M2P1Q9.h") < Arrival(base: "10.M2P1Q10.h"))
    }
}
