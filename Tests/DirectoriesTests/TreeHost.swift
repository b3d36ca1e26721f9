import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import Snapshots
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Directories

/// A source tree, and the places that dumps of it go to.
struct TreeHost: Sendable {
    let scratch: FilePath
    let source: TreeFixture
    var settings: DirectorySettings

    static func with(deep: Bool = false, _ body: (inout TreeHost) async throws -> Void) async throws {
        try await withScratch { scratch in
            let source = try await TreeFixture(at: scratch.appending("source"), deep: deep)
            var host = TreeHost(scratch: scratch, source: source, settings: DirectorySettings(path: source.root))
            try await body(&host)
        }
    }

    /// On a file system that can share blocks.
    static func withBtrfs(_ body: @escaping (inout TreeHost) async throws -> Void) async throws {
        try await withMountScratch { scratch in
            try await BtrfsVolume.with(in: scratch) { volume in
                let source = try await TreeFixture(at: volume.root.appending("source"))
                var host = TreeHost(
                    scratch: volume.root, source: source, settings: DirectorySettings(path: source.root))
                try await body(&host)
            }
        }
    }

    var round: SnapshotRound {
        SnapshotRound(
            job: "nightly", runtime: scratch.appending("runtime"),
            runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
    }

    /// A dump as the pipeline takes it, beside the one before.
    struct Taken: Sendable {
        var directory: FilePath
        var summary: DumpSummary
        var tree: FilePath { directory.appending("tree") }

        /// As the next dump gets to see it.
        var asPrevious: PreviousDump {
            PreviousDump(
                directory: directory,
                record: Manifest.DumpRecord(
                    name: "app", provider: "directory", path: "app", identity: [:], moment: summary.moment,
                    durationSeconds: 0, bytes: 0, files: 0, findings: [], omissions: [],
                    checksums: .init(path: "checksums/app.sha256", sha256: ""), databases: [], tree: summary.tree))
        }

        /// As it stands in the inventory.
        func entry(_ path: FilePath) throws -> TreeEntry? {
            let digest = try #require(summary.tree).inventorySHA256
            let inventory = try #require(try InventoryFile(at: directory.appending("tree.mtree"), sha256: digest))
            while let entry = try inventory.next() {
                if entry.path == path { return entry }
            }
            return nil
        }

        func status(_ path: FilePath) throws -> FileStatus { try FileSystem.status(of: tree.pushing(path)) }
        func codes() -> [String] { (summary.findings + summary.omissions).map { "\($0.code) \($0.object)" }.sorted() }
    }

    /// - Parameter meanwhile: what happens between prepare and dump.
    func dump(
        _ name: String = "dump", after previous: Taken? = nil, meanwhile: () async throws -> Void = {}
    ) async throws -> Taken {
        let directory = scratch.pushing(FilePath(name))
        try FileSystem.createDirectory(directory)
        var run = TestRun(deadline: settings.deadline)
        run.context.shortcuts.previous = previous?.asPrevious
        let summary = try await run.prepared(DirectoryProvider(settings: settings, round: round)) { [run] source in
            try await meanwhile()
            return try await run.dump(source, into: directory)
        }
        return Taken(directory: directory, summary: summary)
    }

    func failure(_ name: String = "dump", meanwhile: () async throws -> Void = {}) async throws -> DumpError? {
        await #expect(throws: DumpError.self) { _ = try await dump(name, meanwhile: meanwhile) }
    }
}

extension TreeHost {
    /// A file that a process changes every millisecond or so, for as long as `body` runs. Nearly all of it is a hole, which takes no space
    /// but long to hash. So even on the busiest machine the writer gets its turn while the file is copied.
    ///
    /// - Parameter isMapped: whether the process writes through a mapping of the file in memory.
    func whileRewriting<Result: Sendable>(
        _ name: String, isMapped: Bool = false, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let path = source.root.appending(name)
        let program = """
            import mmap, os, sys, time
            file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
            os.truncate(file, 256 << 20)
            pages = mmap.mmap(file, 4096, offset=(256 << 20) - 4096)
            pages[4095] = 1
            os.close(os.open(sys.argv[2], os.O_CREAT))
            while True:
                if \(isMapped ? "True" : "False"): pages[4095] = os.urandom(1)[0]
                else: os.pwrite(file, os.urandom(1), (256 << 20) - 1)
                time.sleep(0.001)
            """
        let isWriting = scratch.appending("is-writing")
        let writer = Task { try await run("/usr/bin/python3", "-c", program, path.string, isWriting.string) }
        try await eventually { access(isWriting.string, F_OK) == 0 }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        writer.cancel()
        // It was cancelled: what it throws says that.
        _ = await writer.result
        return try outcome.get()
    }
}

/// A program of this system, which must end well.
func run(_ words: String...) async throws {
    let outcome = try await runProgram(words[0], Array(words.dropFirst()))
    guard outcome.succeeded else { throw HostError(description: "\(words): \(outcome.lastErrors)") }
}
