import Checksums
import Documents
import DumpCore
import Glibc
import Linux
import Settings
import Staging
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Borg
@testable import Catalog
@testable import MusterConfig
@testable import PostgreSQL
@testable import Reporting

/// A parser of what others wrote, with real input of its kind.
struct FuzzedParser: Sendable, CustomTestStringConvertible {
    var name: String
    var seeds: [[UInt8]]
    /// Throws, or returns anything: all that it may not do is end the process.
    var parse: @Sendable ([UInt8]) throws -> Void

    var testDescription: String { name }

    init(_ name: String, _ seeds: [String], _ parse: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.init(name, seeds.map { Array($0.utf8) }, parse)
    }

    init(_ name: String, _ seeds: [[UInt8]], _ parse: @escaping @Sendable ([UInt8]) throws -> Void) {
        (self.name, self.seeds, self.parse) = (name, seeds, parse)
    }
}

@Suite("Every parser of what others wrote")
struct FuzzTests {
    /// `make fuzz` asks for more rounds, and for another seed each time.
    private static let rounds = getenv("MUSTER_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100
    private static let seed = getenv("MUSTER_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

    @Test("reads or refuses whatever it is given, and never ends the process", arguments: parsers)
    func survives(parser: FuzzedParser) async throws {
        let log = getenv("MUSTER_FUZZ_LAST").map { FilePath(String(cString: $0)).appending(parser.name) }
        try await onOwnThread {
            for seed in parser.seeds { try parser.parse(seed) }
            for round in 0..<UInt64(Self.rounds) {
                var random = Seeded(Self.seed &* 1_000_003 &+ round)
                let input = parser.seeds.randomElement(using: &random)!.mutated(by: &random)
                // When the process ends, this is what ended it: keep it in FuzzTests.found.
                if let log { try write(String(decoding: input, as: UTF8.self), to: log) }
                try? parser.parse(input)
            }
        }
    }

    @Test("reads or refuses what once ended the process", arguments: parsers)
    func found(parser: FuzzedParser) async {
        await onOwnThread { for input in Self.found[parser.name] ?? [] { try? parser.parse(Array(input.utf8)) } }
    }

    @Test(
        "ends with an error where JSON is nested a million deep, or a number has a million digits", .serialized,
        arguments: parsers)
    func deep(parser: FuzzedParser) async {
        // It takes seconds, in which other tests wait for none of their threads.
        await onOwnThread {
            for input in Self.deep { try? parser.parse(input) }
            guard ["manifest", "record"].contains(parser.name) else { return }
            for input in Self.deep { #expect(throws: (any Error).self) { try parser.parse(input) } }
        }
    }

    private static let deep: [[UInt8]] = {
        func many(_ text: String) -> String { String(repeating: text, count: 1_000_000) }
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
        "comment": ["muster host=a job=b run=20261123T080102Z-5f3a manifest=0 bytes=9223372036854775807 dumps=%,%%"],
    ]

    private static let parsers: [FuzzedParser] = [
        FuzzedParser("yaml", [yaml]) { bytes in
            var diagnostics = Diagnostics()
            guard let text = SourceText(bytes, &diagnostics) else { return }
            _ = YAMLComposer.compose(text, &diagnostics)
        },
        FuzzedParser("inventory", [inventory]) { bytes in
            let file = try FileDescriptor.memoryFile(holding: bytes)
            try file.closeAfter {
                try file.seek(offset: 0, from: .start)
                var reader = InventoryReader(file)
                while let entry = try reader.next() { _ = entry.differences(from: entry) }
            }
        },
        FuzzedParser("list", ["\(digest)  app/a\n\\\(digest)  app/b\\nc\n"]) { bytes in
            _ = try ChecksumList(parsing: bytes).bytes
        },
        FuzzedParser("log", logLines) { bytes in
            let log = BorgLog()
            for line in String(decoding: bytes, as: UTF8.self).split(atASCII: "\n") { log.take(String(line)) }
            _ = log.messages
        },
        FuzzedParser(
            "comment",
            [
                "muster host=web1 job=nightly run=20261123T080102Z-5f3a manifest=\(digest) consistency=exact bytes=1234 dumps=app,%2Ex"
            ]
        ) {
            _ = Provenance(comment: String(decoding: $0, as: UTF8.self))?.comment
        },
        FuzzedParser("manifest", [manifest]) { bytes in
            let manifest = try Manifest.decode(bytes)
            _ = (manifest.bytes, manifest.archivedBytes, manifest.diskBytes, manifest.consistency)
            _ = PlacesInSet(manifest)
        },
        FuzzedParser("record", [record]) { _ = try SnakeCaseJSON.decode(UndoRecord.self, from: $0) },
        FuzzedParser("report", [record, manifest]) { _ = try? SnakeCaseJSON.decode(RunReport.self, from: $0) },
        FuzzedParser("time", ["2026-11-23T08:01:02.345Z"]) { bytes in
            let time = Timestamp(String(decoding: bytes, as: UTF8.self))
            _ = (time?.local, time?.nanoseconds)
        },
        FuzzedParser("tar", [tar]) { bytes in
            let file = try FileDescriptor.memoryFile(holding: bytes)
            try file.closeAfter {
                try file.seek(offset: 0, from: .start)
                var reader = TarReader(file)
                while let entry = try reader.next() { _ = PlacesInSet([]).path(of: entry.path) }
            }
        },
        FuzzedParser("toc", [toc]) { bytes in
            let path = FilePath("/tmp/muster-fuzz-toc-\(UInt64.random(in: .min ... .max))")
            defer { try? FileSystem.removeFile(path) }
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
            _ = try PostgreSQL.ArchiveContents.read(path)
        },
    ]

    private static let digest = String(repeating: "ab", count: 32)
    private static let yaml = """
        staging: /var/lib/muster
        dumps:
          app: {provider: postgresql, connection: service=app, databases: {include: ["*"], exclude: [x_*]}}
          docs: {provider: directory, path: "/srv/docs", exclude: ['*.o']}
        repositories:
          off: {location: user@host:repo, keep: {daily: 7}, lock_wait: 1m30s}
        """
    private static let inventory = """
        #mtree
        . type=dir mode=0755 uid=0 gid=0 time=1700000000.000000000
        #: inode=7 changed=1700000000.000000001 xattr.user.comment=6869
        ./a type=file mode=0644 uid=0 gid=0 size=12 time=-1.500000000 sha256=\(digest)
        #: first-name=./a
        ./b\\040c type=file mode=0644 uid=0 gid=0 size=12 time=1700000000.000000000 sha256=\(digest)
        ./d type=char mode=0600 uid=0 gid=0 time=1700000000.000000000 device=native,1,3
        ./e type=link mode=0777 uid=0 gid=0 time=1700000000.000000000 link=../x

        """
    private static let logLines = [
        #"{"original_size": 5, "compressed_size": 48, "deduplicated_size": 48, "nfiles": 1, "path": "-x", "time": 1795422533.6, "type": "archive_progress", "finished": false}"#,
        #"{"type": "progress_percent", "msgid": "extract", "current": 6, "total": 6, "info": ["d/e/x"], "operation": 1, "finished": false, "time": 1}"#,
        #"{"type": "log_message", "time": 1, "message": "compaction freed about 30.00 MB repository space.", "levelname": "INFO", "name": "borg.repository"}"#,
        #"Enter passphrase: {"type": "log_message", "message": "Remote: x\r\ny", "levelname": "ERROR", "name": "borg.archiver", "msgid": "X"}"#,
    ]
    private static let record = """
        {"id":"20261123T080102Z-5f3a.undo.docs.x.1","run":"20261123T080102Z-5f3a","dump":"docs","kind":"snapshot","facts":{"deadline_seconds":"300"},
        "owner":{"pid":1,"start_ticks":5,"boot_id":"x"},"at":"2026-11-23T08:01:02.000Z","serial":1}
        """
    private static let manifest = """
        {"format_version":1,"tool":{"name":"muster","version":"0.1.0"},"job":"nightly","run_id":"20261123T080102Z-5f3a","host":"web1",
        "started_at":"2026-11-23T08:01:02.000Z","ended_at":"2026-11-23T08:01:03.000Z",
        "freeze":{"from":"2026-11-23T08:01:02.000Z","to":"2026-11-23T08:01:02.000Z"},
        "dumps":[{"name":"docs","provider":"directory","path":"docs","identity":{"path":"/srv"},
        "moment":{"kind":"live","from":"2026-11-23T08:01:02.000Z","to":"2026-11-23T08:01:02.000Z","evidence":{"lsn":"0/1"}},"duration_seconds":1.5,"bytes":12,"files":1,
        "findings":[],"omissions":[],"checksums":{"path":"checksums/docs.sha256","sha256":"\(digest)"},
        "databases":[{"name":"shop","path":"databases/shop","tables":[{"schema":"public","name":"t","rows":3}]}],
        "tree":{"path":"tree","reference":"/run/muster/x","inventory":"tree.mtree","inventory_sha256":"\(digest)","entries":3,"bytes":5,"disk_bytes":5}}]}
        """
    private static var tar: [UInt8] {
        var stream = TarStream()
        stream.add("docs/", type: "5", mode: "0000750")
        stream.addLong(String(repeating: "n/", count: 100))
        stream.add("cut", content: "hello")
        stream.addExtended([("path", "abc"), ("mtime", "1.5"), ("size", "0")])
        stream.add("g", type: "2", target: "../x")
        stream.end()
        return stream.bytes
    }
    private static var toc: [UInt8] {
        let path = FilePath(#filePath).removingLastComponent().removingLastComponent().pushing(
            "PostgreSQLTests/Archives/17/toc.dat")
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return [] }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = (try? file.closeAfter { try bytes.withUnsafeMutableBytes { try file.read(into: $0) } }) ?? 0
        return Array(bytes.prefix(count))
    }
}
