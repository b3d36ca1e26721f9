import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A command that is at work when its run is killed")
struct OrphanTests {
    @Test("ends before what it may have done is undone")
    func orphan() async throws {
        try await TestHost.withFiles { host in
            host.nameJobUniquely()
            let (documents, store) = (host.scratch.appending("documents"), host.scratch.appending("store"))
            for directory in [documents, store] { try FileSystem.createDirectory(directory) }
            try write("dear", to: documents.appending("letter"))
            let create = "trap '' TERM; touch \(store)/started; sleep 3; touch \(store)/snapshot"
            host.job.dumpLines += [
                "  documents:", "    provider: directory", "    path: \(documents)", "    snapshot:", "      command:",
                "        create: [sh, -c, \"\(create)\"]", "        mount: [\"false\"]",
                "        release: [rm, -f, \(store)/snapshot]",
            ]
            let run = try host.start(["dump"])
            try await eventually { access(store.appending("started").string, F_OK) == 0 }
            run.send(SIGKILL)
            #expect(try await run.result().status == .signaled(SIGKILL))
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(0), "\(undone.errors)")
            #expect(undone.output.contains("undone: command_snapshot of dump documents"), "\(undone.output)")
            let stopped = host
            try await eventually { try stopped.processes().isEmpty }
            #expect(access(store.appending("snapshot").string, F_OK) != 0)
            #expect(try host.journal() == [])
        }
    }
}

@Suite("A snapshot that a killed run has left")
struct SnapshotKillTests {
    enum Point: String, CaseIterable {
        case recorded = "snapshot.recorded"
        case taken = "snapshot.taken"
        case mountRecorded = "mount.recorded"
        case mounted = "mount.made"
        case walked = "directory.walked"
        case dumped
        case unmounted = "mount.undone"
        case deleted = "snapshot.deleted"

        var hasSnapshot: Bool { self != .recorded && self != .deleted }
        var isMounted: Bool { [.mounted, .walked, .dumped].contains(self) }
        /// Newest first.
        var records: [String] {
            switch self {
            case .recorded, .taken, .deleted: ["btrfs_snapshot"]
            default: ["snapshot_mount", "btrfs_snapshot"]
            }
        }
    }

    @Test(
        "is told by 'muster status', and undone by 'muster undo' or by the next run, wherever that was, and nobody else's is",
        arguments: Point.allCases)
    func killed(at point: Point) async throws {
        try await TestHost.withBtrfs { host, volume in
            let stranger = volume.data.appending(".muster-\(host.jobName)-20260101T000000Z-0000")
            try await output("btrfs", "subvolume", "snapshot", "-r", volume.data.string, stranger.string)
            let scene = Scene(host: host, volume: volume, stranger: stranger)
            let strangerBefore = try await scene.look(at: stranger)

            try await host.killMuster("dump", at: point.rawValue)
            try await scene.expectLeft(at: point)
            let told = try await host.muster("status")
            for kind in point.records {
                #expect(told.output.contains("to be undone: \(kind) of dump documents (muster undo)"), "\(told.output)")
            }
            let before = try await scene.state()
            let rehearsed = try await host.muster("undo", "--dry-run")
            #expect(kinds(in: rehearsed, after: "to undo: ") == point.records, "\(rehearsed.output)")
            #expect(try await scene.state() == before)
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(0), "\(undone.errors)")
            #expect(kinds(in: undone, after: "undone: ") == point.records, "\(undone.output)")
            try await scene.expectNothingLeft()
            #expect(try await host.muster("undo").output == "nothing is left to undo\n")

            try await host.killMuster("dump", at: point.rawValue)
            try await scene.expectLeft(at: point)
            let next = try await host.muster("dump")
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(next.errors.contains("undid what a dead run had left"), "\(next.errors)")
            #expect(!next.errors.contains("warning: left alone"), "\(next.errors)")
            try await scene.expectNothingLeft()
            #expect(try read(host.current.appending("documents/tree/letter")) == "old")
            #expect(try await scene.look(at: stranger) == strangerBefore)
        }
    }

    @Test("and one of each subvolume in it are undone, wherever that was", arguments: Point.allCases)
    func nested(at point: Point) async throws {
        try await TestHost.withBtrfs(lines: ["    snapshot: {btrfs: {nested: include}}"]) { host, volume in
            for name in ["one", "two"] { try await volume.create(subvolume: volume.documents.appending(name)) }
            try await host.killMuster("dump", at: point.rawValue)
            #expect(try !host.journal().isEmpty)
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(0), "\(undone.errors)")
            #expect(try await volume.subvolumes() == ["data", "data/documents/one", "data/documents/two"])
            #expect(try host.mountPoints() == [])
            #expect(try host.journal() == [])
        }
    }

    @Test("and those of another dump on another subvolume are given up, undone and released one by one")
    func twoVolumes() async throws {
        try await TestHost.withBtrfs { host, volume in
            let mail = volume.root.appending("mail")
            try await volume.create(subvolume: mail)
            try write("1", to: mail.appending("inbox"))
            host.job.dumpLines += ["  mail:", "    provider: directory", "    path: \(mail)", "    snapshot: btrfs"]
            func muster(_ command: String) async throws {
                let result = try await host.muster(command)
                #expect(result.status == .exited(0), "\(result.errors)")
                #expect(!result.errors.contains("error:"), "\(result.errors)")
            }
            func expectNothingLeft() async throws {
                #expect(try await volume.subvolumes() == ["data", "mail"])
                #expect(try host.mountPoints() == [])
                #expect(try host.journal() == [])
            }
            try await muster("dump")
            try await expectNothingLeft()
            for command in ["undo", "dump"] {
                try await host.killMuster("dump", at: "dumped")
                try await muster(command)
                try await expectNothingLeft()
            }
            host.job.dumpLines = host.job.dumpLines.flatMap {
                $0 == "    snapshot: btrfs" ? [$0, "    stage: reference"] : [$0]
            }
            try await muster("dump")
            #expect(try host.mountPoints().count == 2)
            try await muster("release")
            try await expectNothingLeft()
        }
    }

    @Test("is undone by a run that archives, too")
    func nextRunArchives() async throws {
        try await TestHost.withBtrfs { host, volume in
            try await host.killMuster("run", at: Point.walked.rawValue)
            let next = try await host.muster("run")
            #expect(next.status == .exited(0), "\(next.errors)")
            try await Scene(host: host, volume: volume, stranger: nil).expectNothingLeft()
            #expect(try await host.archiveNames().count == 1)
        }
    }

    @Test(
        "is undone by what is on record alone, also when its dump has another name by now, or the name is another one's"
    )
    func renamed() async throws {
        try await TestHost.withBtrfs { host, volume in
            for isTaken in [false, true] {
                let good = host.job.dumpLines
                try await host.killMuster("dump", at: Point.mounted.rawValue)
                host.job.dumpLines = good.map { $0 == "  documents:" ? "  papers:" : $0 }
                if isTaken { host.job.dumpLines += ["  documents:", "    provider: directory", "    path: /etc/ssl"] }
                let undone = try await host.muster("undo")
                #expect(undone.status == .exited(0), "\(undone.errors)")
                host.job.dumpLines = good
                try await Scene(host: host, volume: volume, stranger: nil).expectNothingLeft()
            }
        }
    }

    @Test("and cannot be undone is told with all that is on record of it, and where")
    func details() async throws {
        try await TestHost.withBtrfs(hasServer: true) { host, volume in
            try await host.killMuster("dump", at: Point.mounted.rawValue)
            let names = try host.journal()
            let good = host.job.dumpLines
            host.job.dumpLines = Array(good.prefix { $0 != "  documents:" })
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(1))
            let facts = undone.output.split(separator: "\n").map {
                $0.split(separator: " ").joined(separator: " ")
            }
            #expect(facts.contains("mount point \(host.mounts.appending("documents"))"), "\(undone.output)")
            #expect(facts.contains("source \(volume.data)"), "\(undone.output)")
            for name in names {
                #expect(facts.contains("record \(host.staging)/journal/\(name)"), "\(undone.output)")
            }
            host.job.dumpLines = good
            #expect(try await host.muster("undo").status == .exited(0))
        }
    }

    /// Of the records that a line of output is about, each.
    private func kinds(in result: Command.Result, after prefix: String) -> [String] {
        // What is indented says more of it.
        result.output.split(separator: "\n").filter { !$0.hasPrefix("  ") }.map { line in
            guard line.hasPrefix(prefix), line.contains(" of dump documents, left by run ") else { return String(line) }
            return String(line.dropFirst(prefix.count).prefix { $0 != " " })
        }
    }
}

/// What there is of snapshots.
private struct Scene {
    let host: TestHost
    let volume: BtrfsVolume
    /// A snapshot that somebody made by hand, with a name as Muster gives them.
    let stranger: FilePath?

    private var beside: [String] { stranger.map { ["data/\($0.lastComponent!.string)"] } ?? [] }

    func expectLeft(at point: SnapshotKillTests.Point, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let subvolumes = try await volume.subvolumes().filter { $0 != "data" && !beside.contains($0) }
        #expect(subvolumes.count == (point.hasSnapshot ? 1 : 0), "\(subvolumes)", sourceLocation: sourceLocation)
        #expect(
            try host.mountPoints() == (point.isMounted ? [host.mounts.appending("documents")] : []),
            sourceLocation: sourceLocation)
        #expect(try host.journal().count == point.records.count, sourceLocation: sourceLocation)
    }

    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try await volume.subvolumes() == (beside + ["data"]).sorted(), sourceLocation: sourceLocation)
        #expect(try host.mountPoints() == [], sourceLocation: sourceLocation)
        #expect(access(host.mounts.string, F_OK) != 0, "the mount points are removed", sourceLocation: sourceLocation)
        #expect(try host.journal() == [], sourceLocation: sourceLocation)
    }

    /// All that an undo could change.
    func state() async throws -> [String] {
        try await volume.subvolumes() + (try host.mountPoints().map(\.string))
            + (try host.fingerprint(of: host.staging.appending("journal")))
    }

    /// Its UUID, times, flags, transactions.
    func look(at subvolume: FilePath) async throws -> String {
        try await output("btrfs", "subvolume", "show", subvolume.string)
    }
}
