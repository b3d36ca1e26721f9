import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Every parser of what others wrote")
struct FuzzTests {
    /// `make fuzz` asks for more rounds, and for another seed each time.
    private static let rounds = getenv("MUSTER_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100
    private static let seed = getenv("MUSTER_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

    @Test("reads or refuses whatever it is given, and never ends the process", arguments: FuzzedParser.all)
    func survives(parser: FuzzedParser) async throws {
        let log = getenv("MUSTER_FUZZ_LAST").map { FilePath(String(cString: $0)).appending(parser.name) }
        try await onOwnThread {
            for seed in parser.seeds { try parser.parse(seed) }
            for round in 0..<UInt64(Self.rounds) {
                var random = Seeded(Self.seed &* 1_000_003 &+ round)
                let input = parser.seeds.randomElement(using: &random)!.mutated(by: &random)
                // When the process ends, this is what ended it: keep it in FuzzTests.found.
                if let log { try keep(input, in: log) }
                try? parser.parse(input)
            }
        }
    }

    private func keep(_ input: [UInt8], in path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(input) }
    }

    @Test("reads or refuses what once ended the process", arguments: FuzzedParser.all)
    func found(parser: FuzzedParser) async {
        await onOwnThread { for input in Self.found[parser.name] ?? [] { try? parser.parse(Array(input.utf8)) } }
    }

    @Test(
        "ends with an error where JSON is nested 250,000 deep, or a number has as many digits", .serialized,
        arguments: FuzzedParser.all.filter { !$0.isFlat })
    func deep(parser: FuzzedParser) async {
        // A thread of its own has 16 MiB of stack: that is 67 bytes for each level.
        await onOwnThread {
            let mustThrow = ["manifest", "record"].contains(parser.name)
            for input in Self.deep {
                let outcome = Result { try parser.parse(input) }
                if mustThrow { #expect(throws: (any Error).self) { try outcome.get() } }
            }
        }
    }

    private static let deep: [[UInt8]] = {
        func many(_ text: String) -> String { String(repeating: text, count: 250_000) }
        return [
            many("["), many("[") + many("]"), many("{\"a\":") + "1" + many("}"),
            "{\"format_version\":1,\"dumps\":" + many("[") + many("]") + "}",
            "{\"format_version\":1,\"id\":" + many("{\"a\":") + "1" + many("}") + "}",
            "{\"format_version\":" + many("9") + ",\"serial\":-" + many("9") + "}",
            "{\"type\":\"log_message\",\"message\":" + many("[") + many("]") + "}",
        ].map { Array($0.utf8) }
    }()

    private static let found: [String: [String]] = [
        "log": [
            #"{"type":"progress_percent","msgid":"extract","current":1e308}"#,
            #"{"type":"progress_percent","msgid":"extract","current":-1e300}"#,
            #"{"type":"progress_percent","msgid":"extract","current":9223372036854775808}"#,
            #"{"type":"archive_progress","original_size":-9223372036854775808,"nfiles":-1}"#,
            #"{"type":"log_message","levelname":"INFO","name":"borg.repository","message":"compaction freed about 99999999999999999999999 EB repository space."}"#,
        ],
        "ledger": [
            FuzzedParser.ledger.replacing(
                "\"milliseconds_up\": 5000", with: "\"milliseconds_up\": -9223372036854775808")
        ],
        "drill": [FuzzedParser.drillRecord.replacing(" 12.5", with: " 1e300")],
        "comment": ["muster host=a job=b run=20261123T080102Z-5f3a manifest=0 bytes=9223372036854775807 dumps=%,%%"],
    ]
}
