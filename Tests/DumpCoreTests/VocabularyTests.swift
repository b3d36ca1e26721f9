import DumpCore
import TestSupport
import Testing

@Suite("A secret")
struct SecretTests {
    @Test("stays out of swap, is what it was, and is told from one that only looks alike", .unlessSanitized)
    func locked() throws {
        let secret = Secret("p \u{e9}\u{1F512}")
        let status = try read("/proc/self/status")
        let locked = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
        #expect(locked.contains { $0.isNumber && $0 != "0" }, "\(locked)")
        #expect(secret.reveal() == "p \u{e9}\u{1F512}")
        #expect(secret == Secret("p \u{e9}\u{1F512}") && Secret("") == Secret(""))
        #expect(secret != Secret("p e\u{301}\u{1F512}"))
        let long = String(repeating: "x", count: 10_000)
        #expect(Secret(long).reveal() == long)
        #expect("\(secret)" == "(secret)")
    }

    @Test("is overwritten in a list of bytes")
    func wiped() {
        var bytes: [UInt8] = [1, 2, 3]
        bytes.wipe()
        #expect(bytes == [0, 0, 0])
    }
}

@Suite("Vocabulary")
struct VocabularyTests {
    @Test(
        "Sizes are shown in IEC units with three digits",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1_048_575, "1.00 MiB"), (1_288_490_189, "1.20 GiB"),
            (10_240, "10.0 KiB"), (536_870_912, "512 MiB"),
        ] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) { #expect(formatBytes(bytes) == text) }

    @Test("A time reads back as it was written, and nothing else reads")
    func timestamps() {
        let time = Timestamp(milliseconds: 1_795_420_862_345)
        #expect(Timestamp(time.description) == time)
        #expect(time.description == "2026-11-23T08:01:02.345Z")
        #expect(Timestamp("2026-11-23T08:01:02Z")?.milliseconds == 1_795_420_862_000)
        for wrong in ["", "2026-11-23", "2026-06-31T00:00:00Z", "2026-11-23T08:01:02+01:00", "2026-11-23T08:01:02.3Z"] {
            #expect(Timestamp(wrong) == nil)
        }
    }

    @Test("A run id reads back, and a path is none")
    func runIDs() {
        let id = RunID(start: Timestamp(milliseconds: 1_795_420_862_345))
        #expect(id.description.hasPrefix("20261123T080102Z-"))
        #expect(RunID(id.description) == id)
        #expect(RunID("../../../../etc/passwd") == nil)
    }

    @Test("A secret does not show itself")
    func secrets() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
    }

    @Test("An error reads as message, facts, hint")
    func errors() {
        let error = DumpError(
            .programFailed, "pg_dump of database 'orders' exited with status 1", hint: "Grant it pg_read_all_data.",
            context: ["dump": "app", "stderr": "one\ntwo"])
        #expect(
            error.description == """
                pg_dump of database 'orders' exited with status 1
                  dump: app
                  stderr:
                    one
                    two
                  hint: Grant it pg_read_all_data.
                """)
    }

    @Test("A deadline cancels work that takes longer, and leaves other work alone")
    func deadlines() async throws {
        #expect(try await withDeadline(.seconds(60)) { 1 } == 1)
        #expect(try await withDeadline(nil) { 1 } == 1)
        #expect(
            try await withDeadline(.milliseconds(10)) {
                try await Task.sleep(for: .seconds(1000))
                return 1
            } == nil)
    }
}
