import DumpCore
import TestSupport
import Testing

@testable import Linux

@Suite("What systemd is told")
struct ServiceNotificationTests {
    @Test("is one line, whatever a name in it holds", arguments: ["\n", "\r\n", "\n\u{301}", "\r", "\u{2028}"])
    func oneLine(lineBreak: String) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("notify").string
            let socket = try NotifySocket(path, isAbstract: false)
            try #require(ServiceNotification(socket: path)).say(status: "dump x\(lineBreak)READY=1")
            let message = try #require(socket.received().first)
            #expect(message.hasPrefix("STATUS=dump x"))
            #expect(!message.unicodeScalars.contains { $0.isObeyed })
        }
    }
}
