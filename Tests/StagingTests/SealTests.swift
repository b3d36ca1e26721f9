import CFaults
import Checksums
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Sealing a set")
struct SealTests {
    @Test("A set says of itself what it holds, in a manifest that is its newest file, and sha256sum agrees")
    func manifest() async throws {
        try await withArea { area in
            let set = try await area.takeSet(
                ["shop": ["globals.sql": "roles", "databases/a b/1.dat": "rows"], "a/b": ["x": ""]]).set
            #expect(set.root == area.current)
            let text = try read(area.current.appending("manifest.json"))
            #expect(set.manifestSHA256 == (try sha256(of: Array(text.utf8))))
            let lists = try ["a%2Fb", "shop"].map {
                try FileScan(area.current.appending("checksums/\($0).sha256")).digest().sha256
            }
            #expect(text == expectedManifest(lists, endedAt: set.manifest.endedAt))
            for list in ["a%2Fb", "shop"] {
                let check = try await runProgram(
                    "sha256sum", ["--check", "--strict", "checksums/\(list).sha256"], in: area.current)
                #expect(check.succeeded, "\(check.lastErrors)")
            }
            #expect(
                try set.entries() == [
                    .init(path: "a%2Fb", kind: .directory, bytes: 0),
                    .init(path: "a%2Fb/x", kind: .file, bytes: 0),
                    .init(path: "checksums", kind: .directory, bytes: 0),
                    .init(path: "checksums/a%2Fb.sha256", kind: .file, bytes: 74),
                    .init(path: "checksums/shop.sha256", kind: .file, bytes: 174),
                    .init(path: "manifest.json", kind: .file, bytes: Int64(text.utf8.count)),
                    .init(path: "shop", kind: .directory, bytes: 0),
                    .init(path: "shop/databases", kind: .directory, bytes: 0),
                    .init(path: "shop/databases/a b", kind: .directory, bytes: 0),
                    .init(path: "shop/databases/a b/1.dat", kind: .file, bytes: 4),
                    .init(path: "shop/globals.sql", kind: .file, bytes: 5),
                ])
            #expect(set.files == 6)
            let entries = try FileTree(area.current).entries()
            #expect(entries.allSatisfy { $0.status.mode == ($0.status.kind == .file ? 0o600 : 0o700) })
            let newest = entries.filter { $0.status.kind == .file }.max { $0.status.modified < $1.status.modified }
            #expect(newest?.path == "manifest.json")
            #expect(entries.filter { $0.status.modified == newest?.status.modified }.count == 1)
        }
    }

    @Test("The manifest is the newest file even beside one from the future")
    func futureFile() async throws {
        try await withArea { area in
            try await area.withIncoming { incoming in
                let file = try await incoming.directory(forDump: "app").appending("x")
                try write("x", to: file)
                try FileSystem.setModified(file, to: 4_000_000_000_000_000_000)
                _ = try await incoming.seal([.test("app")], as: .test).publish()
            }
            #expect(
                try FileSystem.status(of: area.current.appending("manifest.json")).modified == 4_000_000_000_001_000_000
            )
        }
    }

    @Test("The manifest is the newest file even where times are whole seconds")
    func wholeSeconds() async throws {
        try await withExt4(options: ["-I", "128"]) { mount in
            let area = try await StagingArea.open(mount.appending("staging"))
            let set = try await area.takeSet(["app": ["x": "1"]]).set
            let times = try set.entries().filter { $0.isFile }.map {
                ($0.path, try FileSystem.status(of: set.root.pushing($0.path)).modified)
            }
            #expect(times.allSatisfy { $0.1 % 1_000_000_000 == 0 })
            let newest = try #require(times.map(\.1).max())
            #expect(times.filter { $0.1 == newest }.map(\.0) == ["manifest.json"])
        }
    }

    @Test("Dumps of any name lie side by side")
    func names() async throws {
        try await withArea { area in
            let names = [
                "a/b", "a_b", "..", "-x", "with space", "\"", "\u{E9}", "e\u{301}",
                String(repeating: "\u{F6}", count: 31),
            ]
            // A dictionary would take two spellings of é for one name.
            try await area.withIncoming { incoming in
                for name in names { try fill(try await incoming.directory(forDump: name), ["x": name]) }
                _ = try await incoming.seal(names.map { .test($0) }, as: .test).publish()
            }
            let set = try #require(try await area.currentSet())
            #expect(
                set.manifest.dumps.map { Array($0.name.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
                    == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }

    @Test("What the provider has read is not read again, unless it has changed since")
    func digests() async throws {
        try await withArea { area in
            try await area.withIncoming { incoming in
                let directory = try await incoming.directory(forDump: "app")
                try fill(directory, ["kept": "1", "sub/touched": "2", "grown": "3"])
                var digests: [FilePath: FileDigest] = [:]
                for name: FilePath in ["kept", "sub/touched", "grown"] {
                    digests[name] = try FileScan(directory.pushing(name)).digest()
                    // A digest that shows where it came from.
                    digests[name]?.sha256 = String(repeating: "0", count: 64)
                }
                try FileSystem.setModified(directory.appending("sub/touched"), to: 1)
                try write("33", to: directory.appending("grown"))
                try FileSystem.setModified(directory.appending("grown"), to: try #require(digests["grown"]).modified)
                _ = try await incoming.seal([.test("app", digests: digests)], as: .test)
                #expect(
                    try read(incoming.root.appending("checksums/app.sha256")) == """
                        \(try sha256(of: Array("33".utf8)))  app/grown
                        \(String(repeating: "0", count: 64))  app/kept
                        \(try sha256(of: Array("2".utf8)))  app/sub/touched

                        """)
            }
        }
    }

    @Test("What does not belong into a set keeps it from being sealed", arguments: Intruder.allCases)
    func refused(intruder: Intruder) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "good"]], run: .numbered(1))
            try await area.withIncoming(.numbered(2)) { incoming in
                let directory = try await incoming.directory(forDump: "app")
                try fill(directory, ["x": "new"])
                let dumps = try await intruder.enter(incoming, directory)
                let error = await #expect(throws: StagingError.self) {
                    try await incoming.seal(dumps.map { .test($0) }, as: .test)
                }
                #expect(error?.description == intruder.description(incoming.root))
                try await incoming.discard()
                try await incoming.discard()
            }
            // Removed with what the run has left, before the next one begins.
            #expect(try area.incomingNames.filter { $0 != "stray" } == [])
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }

    enum Intruder: CaseIterable {
        case link, fifo, file, directory, beside, missing, empty, twice, none

        func enter(_ incoming: IncomingSet, _ directory: FilePath) async throws -> [String] {
            switch self {
            case .link: #expect(symlink("x", directory.appending("y").string) == 0)
            case .fifo: #expect(mkfifo(directory.appending("y").string, 0o600) == 0)
            case .file: try write("x", to: incoming.root.appending("stray"))
            case .directory: _ = try await incoming.directory(forDump: "unfinished")
            case .beside: try write("x", to: incoming.root.removingLastComponent().appending("stray"))
            case .missing: return ["app", "other"]
            case .empty: try FileTree(directory.appending("x")).remove()
            case .twice: return ["app", "app"]
            case .none: return []
            }
            return ["app"]
        }

        private static func foreign(_ path: FilePath) -> String {
            """
            \(path) belongs to no dump that was completed
              hint: Find out what wrote it: a plugin or a command of the job, or a program that is not Muster's.
            """
        }

        func description(_ root: FilePath) -> String {
            switch self {
            case .link: "\(root)/app/y is a symbolic link, and a set holds files and directories only"
            case .fifo: "\(root)/app/y is a special file, and a set holds files and directories only"
            case .file: Self.foreign(root.appending("stray"))
            case .directory: Self.foreign(root.appending("unfinished"))
            case .beside: Self.foreign(root.removingLastComponent().appending("stray"))
            case .missing: "dump 'other' has no directory \(root)/other"
            case .empty:
                """
                dump 'app' holds no file
                  hint: An empty dump is not a dump. Check what its provider logged.
                """
            case .twice: "two dumps are called 'app'"
            case .none: "a set without dumps cannot be sealed"
            }
        }
    }

    @Test("A dump cannot have a name that every set needs itself", arguments: ["checksums", "manifest.json"])
    func reservedName(name: String) async throws {
        try await withArea { area in
            try await area.withIncoming { incoming in
                let error = await #expect(throws: StagingError.self) { try await incoming.directory(forDump: name) }
                #expect(
                    error?.description == """
                        a dump cannot be called '\(name)'
                          hint: Give it another name: every set has its own entry of that name.
                        """)
            }
        }
    }

    @Test("A writer that outlives its dump is found out", arguments: ["app/x", "app/new", "new"])
    func lateWriter(path: String) async throws {
        try await withArea { area in
            let scratch = area.root.removingLastComponent()
            let late = area.root.appending("incoming/\(RunID.numbered(1))/\(path)")
            let writer = try StoppedProcess(scratch: scratch) { pid in
                defer { kill(pid, SIGCONT) }
                try write("late", to: late)
            }
            await #expect(processExitsWith: .success) { [root = area.root.string as String, path] in
                let area = try await StagingArea.open(FilePath(root))
                try stopThisProcess(at: "seal.hashed", scratch: area.root.removingLastComponent().string)
                try await area.withIncoming { incoming in
                    let error = await #expect(throws: StagingError.self) {
                        try await incoming.fillAndSeal(["app": ["x": "good"]])
                    }
                    #expect(
                        error?.description == """
                            \(incoming.root)/\(path) changed after its dump was complete
                              hint: Something still writes to the dump. Find it and stop it.
                            """)
                }
            }
            try writer.finish()
        }
    }

    @Test("Sealing ends when its task is cancelled")
    func cancelled() async throws {
        try await withArea { area in
            try await area.withIncoming { incoming in
                let file = try await incoming.directory(forDump: "app").appending("x")
                try write("", to: file)
                #expect(truncate(file.string, 1 << 40) == 0)
                let sealing = Task { try await incoming.seal([.test("app")], as: .test) }
                try await Task.sleep(for: .milliseconds(50))
                sealing.cancel()
                let error = await #expect(throws: StagingError.self) { try await sealing.value }
                #expect(error?.code == .cancelled)
            }
        }
    }

    @Test("What cannot be flushed to disk is not sealed")
    func unflushed() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                #expect(cfaults_fail_sync(EIO) == 0)
                let area = try await StagingArea.open(FilePath(root))
                let error = await #expect(throws: StagingError.self) { try await area.takeSet(["app": ["x": "1"]]) }
                #expect(
                    error?.description == """
                        cannot write to disk what is in \(area.root)/incoming: Input/output error
                        """)
            }
            #expect(access(area.current.string, F_OK) != 0)
        }
    }

    @Test("Memory does not grow with the dumps", .unlessSanitized)
    func memory() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                let area = try await StagingArea.open(FilePath(root))
                try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
                let before = try peakMemory()
                for number in 2...3 {
                    try await area.withIncoming(.numbered(number)) { incoming in
                        let directory = try await incoming.directory(forDump: "app")
                        for name in ["a", "b", "c", "d", "e"] {
                            try write("", to: directory.appending(name))
                            #expect(truncate(directory.appending(name).string, 100 << 20) == 0)
                        }
                        let unpublished = try await incoming.seal([.test("app")], as: .test)
                        #expect(unpublished.reuse.files == (number == 2 ? 0 : 5))
                        _ = try await unpublished.publish()
                    }
                }
                #expect(try peakMemory() - before < 12 * 1024)
            }
        }
    }

    @Test("What a provider has read is read no second time, and of an unchanged file only the old one")
    func readOnce() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["same": "12345", "other": "1"]], run: .numbered(1))
            try await area.withIncoming(.numbered(2)) { incoming in
                let directory = try await incoming.directory(forDump: "app")
                try fill(directory, ["same": "12345", "other": "2"])
                let told = incoming.completion(ofDump: "app")
                for name: FilePath in ["same", "other"] {
                    told(name, try FileScan(directory.pushing(name)).digest())
                    // Had it been read once more, this would show.
                    let old = try FileSystem.status(of: directory.pushing(name)).modified
                    try write(name == "same" ? "XXXXX" : "X", to: directory.pushing(name))
                    try FileSystem.setModified(directory.pushing(name), to: old)
                }
                let unpublished = try await incoming.seal([.test("app")], as: .test)
                #expect(unpublished.reuse.files == 1)
                let list = try read(incoming.root.appending("checksums/app.sha256"))
                #expect(
                    list == """
                        \(try sha256(of: Array("2".utf8)))  app/other
                        \(try sha256(of: Array("12345".utf8)))  app/same

                        """)
                #expect(try read(directory.appending("same")) == "12345", "the old file took its place")
            }
        }
    }

    private func expectedManifest(_ lists: [String], endedAt: Timestamp) -> String {
        func dump(_ name: String, _ path: String, bytes: Int, files: Int, list: String) -> String {
            """
                {
                  "bytes" : \(bytes),
                  "checksums" : {
                    "path" : "checksums/\(path).sha256",
                    "sha256" : "\(list)"
                  },
                  "databases" : [

                  ],
                  "duration_seconds" : 1.5,
                  "files" : \(files),
                  "findings" : [

                  ],
                  "identity" : {
                    "runID" : "kept",
                    "server_version" : "15.4"
                  },
                  "moment" : {
                    "evidence" : {

                    },
                    "from" : "1970-01-01T00:00:01.000Z",
                    "kind" : "exact",
                    "to" : "1970-01-01T00:00:02.000Z"
                  },
                  "name" : "\(name)",
                  "omissions" : [

                  ],
                  "path" : "\(path)",
                  "provider" : "test"
                }
            """
        }
        return """
            {
              "dumps" : [
            \(dump("a/b", "a%2Fb", bytes: 0, files: 1, list: lists[0])),
            \(dump("shop", "shop", bytes: 9, files: 2, list: lists[1]))
              ],
              "ended_at" : "\(endedAt)",
              "format_version" : 1,
              "freeze" : {
                "from" : "1970-01-01T00:00:01.000Z",
                "to" : "1970-01-01T00:00:02.000Z"
              },
              "host" : "db1",
              "job" : "nightly",
              "run_id" : "\(RunID.numbered(1))",
              "started_at" : "1970-01-01T00:00:00.500Z",
              "tool" : {
                "name" : "muster",
                "version" : "0.0"
              }
            }

            """
    }
}
