import CFaults
import Conformance
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("A restore in the place of a directory that was killed")
struct RestoreKillTests {
    enum Point: String, CaseIterable {
        case recorded = "restore.tree.recorded"
        case built = "restore.tree.built"
        case moved = "restore.tree.moved"
        case placed = "restore.tree.placed"
        case kept = "restore.tree.kept"

        /// On a file system that exchanges names there is no step between two renames.
        static let withExchange = allCases.filter { $0 != .moved }

        /// Whether what was restored has the name then.
        var isPlaced: Bool { self == .placed || self == .kept }
    }

    @Test(
        "leaves the old or the new one under the name, and undoing it leaves nothing else",
        arguments: Point.withExchange)
    func killed(at point: Point) async throws { try await check(point, canExchange: true) }

    @Test("where names cannot be exchanged, it is the old one again once it is undone", arguments: Point.allCases)
    func killedWithoutExchange(at point: Point) async throws { try await check(point, canExchange: false) }

    private func check(_ point: Point, canExchange: Bool) async throws {
        try await RestoreHost.with { host in
            try write("new", to: host.target.appending("plain/new"))
            let changed = try host.fingerprint(of: host.target)
            let digest = try #require(host.dump.summary.tree?.inventorySHA256)
            let killer = try StoppedProcess(scratch: host.host.scratch) { kill($0, SIGKILL) }
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    scratch = host.host.scratch.string as String, point = point.rawValue as String,
                    digest = digest as String, canExchange = canExchange as Bool
                ] in
                try stopThisProcess(at: point, scratch: scratch)
                if !canExchange { #expect(cfaults_fail_rename_with_flags(EINVAL) == 0) }
                try await RestoreKillTests.restore(in: FilePath(scratch), digest)
            }
            try killer.finish()

            let isGone = (try? FileSystem.status(of: host.target)) == nil
            #expect(isGone == (point == .moved), "there is no instant without one, but where names cannot be exchanged")
            let records = try await FileJournal(in: host.host.scratch).records()
            #expect(records.count == 1)
            // Twice: the one that undoes may be killed as well.
            for _ in 1...2 {
                for record in records { try await DirectoryRestorer().undo(record, in: host.context()) }
                #expect(try host.hiddenNames() == [])
                let kept = try FileSystem.names(in: host.host.scratch).filter { $0.string.contains("_before_") }
                #expect(kept.count == (point.isPlaced ? 1 : 0))
                let old = kept.first.map { host.host.scratch.appending($0) } ?? host.target
                #expect(try host.fingerprint(of: old) == changed)
                #expect(access(host.target.appending("plain/new").string, F_OK) == (point.isPlaced ? -1 : 0))
            }
        }
    }

    /// In the process that is killed.
    static func restore(in scratch: FilePath, _ digest: String) async throws {
        let tree = TreeContents(
            path: "tree", inventory: "tree.mtree", inventorySHA256: digest, entries: 100, bytes: 1 << 20)
        let dump = Manifest.DumpRecord(
            name: "app", provider: "directory", path: "app", identity: ["path": scratch.appending("source").string],
            moment: Moment(.live, from: .now, to: .now), durationSeconds: 0, bytes: 0, files: 0, findings: [],
            omissions: [], checksums: .init(path: "checksums/app.sha256", sha256: ""), databases: [], tree: tree)
        var request = RestoreRequest()
        request.placement = .replacing
        let directory = scratch.appending("dump")
        var context = TestRun().context
        context.journal = FileJournal(in: scratch)
        let restore = try await DirectoryRestorer().prepare(
            request, of: dump, reading: FilesAtPath(directory: directory), in: context)
        _ = try await restore.restore(from: directory, in: context)
    }
}
