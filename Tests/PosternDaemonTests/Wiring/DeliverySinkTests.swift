import MailQueue
import Testing
@testable import PosternDaemon

/// RFC 3461 §4.1: no NOTIFY, NEVER, and a list are three things.
@Suite struct DeliverySinkTests {
    @Test func notify() {
        #expect(DeliverySink.notify(nil) == nil)
        #expect(DeliverySink.notify("NEVER") == [])
        #expect(DeliverySink.notify("success,FAILURE") == [.success, .failure])
        #expect(DeliverySink.notify("DELAY") == [.delay])
    }
}
