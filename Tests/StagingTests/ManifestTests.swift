import Documents
import DumpCore
import SystemPackage
import TestSupport
import Testing

@testable import Staging

/// A manifest that was forged, or written by another Muster, and what is said of it.
struct ForgedManifest: Sendable, CustomTestStringConvertible {
    var expected: String
    var forge: @Sendable (inout Manifest) -> Void

    init(_ expected: String, _ forge: @escaping @Sendable (inout Manifest) -> Void) {
        self.expected = expected
        self.forge = forge
    }

    var testDescription: String { expected }

    static let all = paths + names + numbers + rows + [ForgedManifest("it has no dumps") { $0.dumps = [] }]

    private static let paths: [ForgedManifest] =
        ["/etc", "../../etc", "app/..", ".", "", "tree/../../x", "a//b", "a/", "./a", "nul\0"].flatMap { path in
            [
                ForgedManifest("the place of the tree or its inventory of dump 'app' cannot be") {
                    $0.dumps[0].tree?.path = path
                },
                ForgedManifest("the place of the tree or its inventory of dump 'app' cannot be") {
                    $0.dumps[0].tree?.inventory = path
                },
                ForgedManifest("the place of dump 'app' cannot be") { $0.dumps[0].path = path },
                ForgedManifest("the place of dump 'app' cannot be") { $0.dumps[0].checksums.path = path },
                ForgedManifest("the place of database 'shop' of dump 'app' cannot be") {
                    $0.dumps[0].databases[0].path = path
                },
                ForgedManifest("the place at which Borg read the tree of dump 'app' cannot be") {
                    $0.dumps[0].tree?.reference = path == "/etc" ? "etc" : path
                },
            ]
        }
        + [
            ForgedManifest("the place at which Borg read the tree of dump 'app' cannot be") {
                $0.dumps[0].tree?.reference = "/srv/../etc"
            },
            ForgedManifest("the place at which Borg read the tree of dump 'app' cannot be") {
                $0.dumps[0].tree?.reference = "/"
            },
            ForgedManifest("two things would be at checksums/x") { $0.dumps[0].tree?.reference = "/checksums/x" },
            ForgedManifest("two things would be at app/tree") { $0.dumps[0].tree?.reference = "/app/tree" },
            ForgedManifest("the place of the tree or its inventory of dump 'app' cannot be") {
                $0.dumps[0].tree?.inventory = "tree/inventory"
            },
        ]

    private static let names: [ForgedManifest] = [
        ForgedManifest("the place of dump '' cannot be") { $0.dumps[0].name = "" },
        ForgedManifest("the place of dump 'a/b' cannot be") { $0.dumps[0].name = "a/b" },
        ForgedManifest("the place of dump 'checksums' cannot be") {
            ($0.dumps[0].name, $0.dumps[0].path) = ("checksums", "checksums")
            $0.dumps[0].checksums.path = "checksums/checksums.sha256"
        },
        ForgedManifest("the place of database '' of dump 'app' cannot be") { $0.dumps[0].databases[0].name = "" },
        ForgedManifest("the name of a table in database 'shop' of dump 'app' cannot be") {
            $0.dumps[0].databases[0].tables[0].name = ""
        },
        ForgedManifest("its dumps are not in the order of their names") { $0.dumps.append($0.dumps[0]) },
        ForgedManifest("the SHA-256 of the list of dump 'app' cannot be") { $0.dumps[0].checksums.sha256 = "0" },
        ForgedManifest("the SHA-256 of the inventory of dump 'app' cannot be") {
            $0.dumps[0].tree?.inventorySHA256 = String(repeating: "A", count: 64)
        },
    ]

    private static let numbers: [ForgedManifest] =
        [
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].bytes = -1 },
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].files = -1 },
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].durationSeconds = 1e300 },
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].tree?.bytes = .min },
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].tree?.diskBytes = -1 },
            ForgedManifest("a number of dump 'app' cannot be") { $0.dumps[0].tree?.entries = .min },
            ForgedManifest("a number of rows of dump 'app' cannot be") {
                $0.dumps[0].databases[0].tables[0].rows = -1
            },
            ForgedManifest("a count in the record of database 'shop' of dump 'app' cannot be") {
                $0.dumps[0].databases[0].record?.objects["table"] = -1
            },
            ForgedManifest("a count in the record of database 'shop' of dump 'app' cannot be") {
                $0.dumps[0].databases[0].record?.largeObjects = .max
            },
            ForgedManifest("a number of rows of dump 'app' cannot be") {
                let table = TableContents(schema: "public", name: "huge", rows: .max)
                $0.dumps[0].databases[0].tables = [table, table]
            },
        ]
        + [Int64.max, .max - 1, (1 << 62) + 1].flatMap { size in
            [
                ForgedManifest("its sizes are larger than anything that can be stored") { $0.dumps[0].bytes = size },
                ForgedManifest("its sizes are larger than anything that can be stored") {
                    $0.dumps[0].tree?.bytes = size
                },
                ForgedManifest("its sizes are larger than anything that can be stored") {
                    $0.dumps[0].tree?.diskBytes = size
                },
            ]
        }
}

extension ForgedManifest {
    fileprivate static let rows: [ForgedManifest] =
        ["/etc/x", "../x", "rows/../..", "rows", "rows//x", "rows/a/b", ""].map { path in
            of { $0.path = path }
        }
        + ["../x", "a/b", "/x", "", "."].map { file in of { $0.file = file } }
        + [
            of { $0.bytes = -1 }, of { $0.storedBytes = .max }, of { $0.sha256 = "0" }, of { $0.dumpedSHA256 = "" },
            ForgedManifest("the rows of a table in database 'shop' of dump 'app' cannot be") {
                $0.formatVersion = 2
                let table = TableContents(schema: "public", name: "a", rows: 1, rowFiles: .test)
                $0.dumps[0].databases[0].tables = [table, table]
            },
            ForgedManifest("it has tables that its format version does not know") {
                $0.dumps[0].databases[0].tables[0].rowFiles = .test
            },
        ]

    private static func of(_ forge: @escaping @Sendable (inout RowFiles) -> Void) -> ForgedManifest {
        ForgedManifest("the rows of a table in database 'shop' of dump 'app' cannot be") {
            $0.formatVersion = 2
            var rows = RowFiles.test
            forge(&rows)
            $0.dumps[0].databases[0].tables[0].rowFiles = rows
        }
    }
}

extension RowFiles {
    static let test = RowFiles(
        path: "rows/public.orders", file: "1.dat", bytes: 9, sha256: String(repeating: "0", count: 64), storedBytes: 9,
        dumpedSHA256: String(repeating: "0", count: 64))
}

@Suite("Reading a manifest")
struct ManifestTests {
    @Test("What was encoded is read back, whatever its databases and tables are called")
    func roundTrip() throws {
        var manifest = Self.manifest()
        manifest.dumps[0].databases[0].name = "../\u{1B}[0m\u{301}"
        manifest.dumps[0].databases[0].tables[0].name = "a/b\n"
        #expect(try Manifest.decode(SnakeCaseJSON.encode(manifest)) == manifest)
    }

    @Test("Tables that are stored as rows make it one of the second format, and are read back")
    func rows() throws {
        let plain = Self.manifest()
        var dumps = plain.dumps
        dumps[0].databases[0].tables[0].rowFiles = .test
        let manifest = Manifest(
            tool: plain.tool, job: plain.job, runID: plain.runID, host: plain.host, startedAt: plain.startedAt,
            endedAt: plain.endedAt, freeze: plain.freeze, dumps: dumps)
        #expect(plain.formatVersion == 1 && manifest.formatVersion == 2)
        #expect(try Manifest.decode(SnakeCaseJSON.encode(manifest)) == manifest)
        #expect(throws: ManifestFault.newer(2, knownUpTo: 1)) {
            try Manifest.decode(try SnakeCaseJSON.encode(manifest), by: [ManifestFormat.all[0]])
        }
    }

    @Test("No value of a forged manifest leads out of a set or into a sum", arguments: ForgedManifest.all)
    func forged(forgery: ForgedManifest) throws {
        var manifest = Self.manifest()
        forgery.forge(&manifest)
        let bytes = try SnakeCaseJSON.encode(manifest)
        let fault = #expect(throws: ManifestFault.self) { try Manifest.decode(bytes) }
        #expect(fault?.kind == .malformed)
        #expect(fault?.message == "is not a manifest that Muster wrote: \(forgery.expected)")
    }

    @Test(
        "A newer manifest is known as that, whatever else it holds",
        arguments: [
            "{\"format_version\":3}", "{\"a\": {\"format_version\": 1}, \"format_version\" : 3 , \"dumps\": 7}",
            "{\"x\": \"\\\"format_version\\\":1\", \"format_version\":\n3, \"dumps\": [[[[[",
            "{\"b\":[1,{}],\"format_version\":3}",
        ])
    func newer(text: String) throws {
        let fault = #expect(throws: ManifestFault.self) { try Manifest.decode(Array(text.utf8)) }
        #expect(fault?.kind == .newer)
        #expect(fault?.message == "has format version 3, and this Muster knows up to 2")
        #expect(fault?.hint == "Use the Muster that wrote it, or a newer one.")
        let padded = Array(text.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: 100)
        let again = #expect(throws: ManifestFault.self) { try Manifest.decode(padded, mostBytes: 100) }
        #expect(again == fault)
    }

    @Test("A format version that follows is read by an entry of its own, and the first one stays readable")
    func secondFormat() throws {
        struct Second: Codable {
            var formatVersion = 3
            var runID: RunID
            var body: Manifest
        }
        let second = ManifestFormat(version: 3) { bytes in
            var manifest = try SnakeCaseJSON.decode(Second.self, from: bytes).body
            manifest.formatVersion = 3
            return manifest
        }
        let formats = ManifestFormat.all + [second]
        var manifest = Self.manifest()
        let first = try SnakeCaseJSON.encode(manifest)
        #expect(try Manifest.decode(first, by: formats) == manifest)
        let bytes = try SnakeCaseJSON.encode(Second(runID: manifest.runID, body: manifest))
        manifest.formatVersion = 3
        #expect(try Manifest.decode(bytes, by: formats) == manifest)
        #expect(throws: ManifestFault.newer(3, knownUpTo: 2)) { try Manifest.decode(bytes) }
        #expect(throws: ManifestFault.newer(4, knownUpTo: 3)) {
            try Manifest.decode(Array("{\"format_version\":4}".utf8), by: formats)
        }
        // The run is known whatever the format, and what a format makes of its text is not trusted either.
        #expect(try Manifest.runID(in: first) == manifest.runID)
        #expect(try Manifest.runID(in: bytes) == manifest.runID)
        manifest.dumps[0].path = "../runs"
        let forged = try SnakeCaseJSON.encode(Second(runID: manifest.runID, body: manifest))
        #expect(throws: ManifestFault.malformed("the place of dump 'app' cannot be")) {
            try Manifest.decode(forged, by: formats)
        }
    }

    @Test("A manifest that is cut off, or names no format, names no run")
    func noRun() throws {
        let whole = try SnakeCaseJSON.encode(Self.manifest())
        for bytes in [Array(whole.dropLast(3)), Array("{\"run_id\": \"20261123T080102Z-5f3a\"}".utf8), []] {
            #expect(throws: ManifestFault.self) { try Manifest.runID(in: bytes) }
        }
    }

    @Test(
        "What names no version, or two, is no manifest",
        arguments: [
            "", "[]", "{}", "{\"format_version\":", "{\"format_version\":}", "{\"format_version\":\"1\"}",
            "{\"format_version\":1.5}", "{\"format_version\":-1}", "{\"format_version\":0}",
            "{\"format_version\":99999999999999999999}", "{\"x\":\"format_version\"}", "{\"x\":{\"format_version\":1}}",
            "{\"format_version\":1,\"format_version\":1}", "{\"format_version\":1}", "\"", "\"\\",
            "}}}{\"format_version\":1}",
        ])
    func unversioned(text: String) throws {
        let fault = #expect(throws: ManifestFault.self) { try Manifest.decode(Array(text.utf8)) }
        #expect(fault?.kind == .malformed)
    }

    @Test("More bytes, values or dumps than Muster writes are refused before they are parsed")
    func tooLarge() throws {
        let begin = Array("{\"format_version\":1,\"dumps\":[".utf8)
        for rest in [
            [UInt8](repeating: UInt8(ascii: " "), count: 1000), [UInt8](repeating: UInt8(ascii: "["), count: 101),
        ] {
            let fault = #expect(throws: ManifestFault.self) {
                try Manifest.decode(begin + rest, mostBytes: 1000, mostValues: 100)
            }
            #expect(fault?.kind == .tooLarge)
        }
        var manifest = Self.manifest()
        manifest.dumps[0].databases = []
        manifest.dumps[0].tree = nil
        manifest.dumps = (10_000...20_001).map { number in
            var dump = manifest.dumps[0]
            (dump.name, dump.path, dump.checksums.path) = ("\(number)", "\(number)", "checksums/\(number).sha256")
            return dump
        }
        let fault = try #require(throws: ManifestFault.self) { try Manifest.decode(SnakeCaseJSON.encode(manifest)) }
        #expect(fault.message == "has 10002 dumps, more than any manifest that Muster writes")
    }

    @Test(
        "Times that no clock shows, and numbers that are none, are no times and numbers",
        arguments: [
            ("2026-11-23T08:01:02.000Z", "2147483647-01-01T00:00:00.000Z"),
            ("2026-11-23T08:01:02.000Z", "2026-11-23T08:01:02.9223372036854775807Z"),
            ("\"bytes\" : 7", "\"bytes\" : 1e308"), ("\"bytes\" : 7", "\"bytes\" : 9223372036854775808"),
            ("\"bytes\" : 7", "\"bytes\" : 7.5"),
        ])
    func numbers(text: String, other: String) throws {
        let honest = String(decoding: try SnakeCaseJSON.encode(Self.manifest()), as: UTF8.self)
        try #require(honest.contains(text))
        let fault = #expect(throws: ManifestFault.self) {
            try Manifest.decode(Array(honest.replacing(text, with: other).utf8))
        }
        #expect(fault?.kind == .malformed)
    }

    private static let record = DatabaseRecord(
        encoding: "UTF8", locale: LocaleRecord(provider: "libc", collate: "C", ctype: "C"), owner: "app",
        connectionLimit: -1, isTemplate: false, settings: [SettingRecord(role: nil, "work_mem=5MB")],
        objects: ["table": 1], columnsSHA256: "0a",
        constraints: ConstraintsRecord(counts: ["check": 1], notValidated: 0, sha256: "0a"),
        extensions: [ExtensionRecord(name: "plpgsql", version: "1.0", schema: "pg_catalog")], largeObjects: 0,
        sequences: [SequenceRecord(schema: "public", name: "s", lastValue: 3)], missing: ["settings"])

    /// With one of everything.
    static func manifest() -> Manifest {
        let time = Timestamp("2026-11-23T08:01:02Z")!
        let digest = String(repeating: "0a", count: 32)
        let dump = Manifest.DumpRecord(
            name: "app", provider: "test", path: "app", identity: ["server_version": "15"],
            moment: Moment(.exact, from: time, to: time), durationSeconds: -1, bytes: 7, files: 2,
            findings: [Finding(.note, "code", object: "x", "message")], omissions: [],
            checksums: .init(path: "checksums/app.sha256", sha256: digest),
            databases: [
                DatabaseContents(
                    name: "shop", path: "databases/shop",
                    tables: [TableContents(schema: "public", name: "orders", rows: 3, columns: "0a")], record: record)
            ],
            cluster: ClusterRecord(
                bootstrapRole: "postgres",
                roles: [RoleRecord(name: "app", attributes: ["login"], connectionLimit: -1)],
                preloadLibraries: ["shared_preload_libraries": "auto_explain"]),
            tree: TreeContents(
                path: "tree", reference: "/run/muster/snapshot", inventory: "inventory.mtree", inventorySHA256: digest,
                entries: 3, bytes: 5, diskBytes: 4))
        return Manifest(
            tool: .init(name: "muster", version: "1"), job: "nightly", runID: .numbered(1), host: "web1",
            startedAt: time, endedAt: time, freeze: .init(from: time, to: time), dumps: [dump])
    }
}
