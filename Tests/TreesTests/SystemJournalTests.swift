import TestSupport
import Testing

@testable import Linux

@Suite("An entry of the journal")
struct SystemJournalTests {
    @Test("has each field on a line, and one of several lines by its length")
    func fields() async throws {
        try await withScratch { scratch in
            let path = scratch.appending("journal").string
            let socket = try NotifySocket(path, isAbstract: false)
            let journal = try #require(SystemJournal(socket: path))
            #expect(
                journal.write([SystemJournal.Field("MESSAGE", "a=b c"), SystemJournal.Field("MUSTER_JOB", "nightly")]))
            #expect(journal.write([SystemJournal.Field("MESSAGE", "one\ntwo"), SystemJournal.Field("PRIORITY", "3")]))
            #expect(
                socket.received() == [
                    "MESSAGE=a=b c\nMUSTER_JOB=nightly\n", "MESSAGE\n\u{7}\0\0\0\0\0\0\0one\ntwo\nPRIORITY=3\n",
                ])
        }
    }

    @Test("that is taken by nobody is told as such")
    func nobody() async throws {
        try await withScratch { scratch in
            let journal = try #require(SystemJournal(socket: scratch.appending("journal").string))
            #expect(!journal.write([SystemJournal.Field("MESSAGE", "lost")]))
        }
    }
}
