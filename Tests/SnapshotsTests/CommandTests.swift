import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import DumpCore
@testable import Snapshots

/// Storage that copies: `create` copies the source, `mount` shows the copy, `release` removes both.
private struct Storage {
    let host: SnapshotHost
    let source: FilePath
    var commands: SnapshotCommands

    static func with(_ body: (inout Storage) async throws -> Void) async throws {
        try await withMountScratch { scratch in
            var storage = try Storage(scratch: scratch)
            try await body(&storage)
        }
    }

    private init(scratch: FilePath) throws {
        host = SnapshotHost(scratch: scratch)
        source = try scratch.directory("source")
        try write("old", to: source.appending("letter"))
        let store = try scratch.directory("store")
        commands = SnapshotCommands(
            create: try Self.script("create", #"cp -a "$MUSTER_SOURCE" "$1/$MUSTER_SNAPSHOT_NAME""#, store),
            mount: try Self.script(
                "mount", #"mount --bind -o ro "$1/$MUSTER_SNAPSHOT_NAME" "$MUSTER_MOUNT_POINT""#, store),
            release: try Self.script(
                "release",
                #"""
                if mountpoint -q "$MUSTER_MOUNT_POINT"; then umount "$MUSTER_MOUNT_POINT" || exit 1; fi
                rm -rf "$1/$MUSTER_SNAPSHOT_NAME"
                """#, store))
    }

    private static func script(_ name: String, _ text: String, _ store: FilePath) throws -> [String] {
        let path = store.removingLastComponent().appending(name)
        try write("#!/bin/bash\n\(text)\n", to: path, mode: FilePermissions(rawValue: 0o755))
        return [path.string, store.string]
    }

    func stored() throws -> [String] { try FileSystem.names(in: host.scratch.appending("store")).map(\.string) }

    func planned() async throws -> PlannedSnapshot {
        try await host.examined(source, SnapshotSettings(commands))
    }
}

@Suite("A snapshot by the operator's commands")
struct CommandTests {
    @Test("is not taken where somebody has mounted something, which stays")
    func occupied() async throws {
        try await Storage.with { storage in
            let plan = try await storage.planned()
            let point = storage.host.mountPoint
            for directory in [storage.host.runtime, point.removingLastComponent(), point] {
                try FileSystem.createDirectory(directory)
            }
            try await withCleanup { cleanup in
                try await output("mount", "-t", "tmpfs", "tmpfs", point.string)
                cleanup.append { try await unmount(point) }
                let error = await #expect(throws: DumpError.self) { try await plan.take(in: storage.host.context()) }
                #expect(error?.message.hasPrefix("cannot use \(point) to mount a snapshot") == true)
                #expect(try storage.host.mounts() == [point])
                #expect(try storage.stored() == [])
                #expect(storage.host.journal.all == [])
            }
        }
    }

    @Test("holds what was there at its moment, and leaves nothing behind")
    func wholeLife() async throws {
        try await Storage.with { storage in
            let plan = try await storage.planned()
            #expect(plan.findings == [])
            #expect(try storage.stored() == [] && storage.host.journal.all == [], "to examine changes nothing")
            let held = try await plan.take(in: storage.host.context())
            let name = "muster-nightly-\(storage.host.run.context.runID)-app"
            #expect(try storage.stored() == [name])
            #expect(held.moment.evidence == ["snapshot": "command", "name": name])
            try write("new", to: storage.source.appending("letter"))
            #expect(held.tree == storage.host.mountPoint)
            #expect(try read(held.tree.appending("letter")) == "old")
            try await held.confirm()
            try await unmount(storage.host.mountPoint)
            let lost = await #expect(throws: DumpError.self) { try await held.confirm() }
            #expect(
                lost?.message == "the snapshot is no longer mounted at \(storage.host.mountPoint)")
            await held.release()
            #expect(try storage.stored() == [])
            try storage.host.expectNothingLeft()
        }
    }

    @Test("may not hold what is mounted below the path, which it says")
    func mountBelow() async throws {
        try await Storage.with { storage in
            let host = storage.host
            let commands = storage.commands
            try await withExt4FileSystem(in: host.scratch, size: "4M") { point in
                let plan = try await host.examined(host.scratch, SnapshotSettings(commands))
                #expect(plan.findings.map(\.code) == ["volume_omitted"])
                #expect(plan.findings.first?.object == point.string)
            }
        }
    }

    @Test("fails with the command that failed, and what was done before is released")
    func failures() async throws {
        try await Storage.with { storage in
            storage.commands.create = [
                "/bin/bash", "-c", "mkdir \(storage.host.scratch)/store/half; echo no >&2; exit 3",
            ]
            storage.commands.release = ["/bin/rm", "-rf", "\(storage.host.scratch)/store/half"]
            let tried = storage
            let error = await #expect(throws: DumpError.self) {
                try await tried.planned().take(in: tried.host.context())
            }
            #expect(error?.message == "the command that creates the snapshot exited with status 3")
            #expect(error?.context["stderr"] == "no")
            #expect(try storage.stored() == [])
            try storage.host.expectNothingLeft()
        }
        try await Storage.with { storage in
            storage.commands.mount = ["/bin/false"]
            let tried = storage
            let error = await #expect(throws: DumpError.self) {
                try await tried.planned().take(in: tried.host.context())
            }
            #expect(error?.message == "the command that mounts the snapshot exited with status 1")
            #expect(try storage.stored() == [])
            try storage.host.expectNothingLeft()
        }
    }

    @Test("fails when a command takes too long, and when one is not there")
    func slowAndMissing() async throws {
        try await Storage.with { storage in
            storage.commands.create = ["/bin/sleep", "1000"]
            storage.commands.deadline = .seconds(1)
            let tried = storage
            let error = await #expect(throws: DumpError.self) {
                try await tried.planned().take(in: tried.host.context())
            }
            #expect(
                error?.message == "the command that creates the snapshot took longer than 1s, and was stopped")
            // On a busy machine a second may not be enough for the release either: then it is on record.
            for var record in storage.host.journal.open {
                record.facts["deadline_seconds"] = "300"
                try await storage.host.undoAll([record])
            }
            #expect(try storage.host.mounts() == [] && storage.stored() == [])
            storage.commands.mount = ["no-such-program"]
            let missing = storage
            let absent = await #expect(throws: DumpError.self) { try await missing.planned() }
            #expect(absent?.code == .programUnsuitable)
        }
    }

    @Test("leaves nothing when the run is cancelled while it is taken")
    func cancelled() async throws {
        try await Storage.with { storage in
            let started = storage.host.scratch.appending("store/started")
            storage.commands.create = ["/bin/bash", "-c", "touch \(started); exec sleep 1000"]
            storage.commands.release = ["/bin/rm", started.string]
            let tried = storage
            let task = Task { try await tried.planned().take(in: tried.host.context()) }
            try await eventually { access(started.string, F_OK) == 0 }
            task.cancel()
            let error = await #expect(throws: DumpError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(try storage.stored() == [])
            try storage.host.expectNothingLeft()
        }
    }

    @Test("that its command does not really release stays on record")
    func notReleased() async throws {
        try await Storage.with { storage in
            let release = storage.commands.release
            storage.commands.release = ["/bin/true"]
            let held = try await storage.planned().take(in: storage.host.context())
            await held.release()
            var record = try #require(storage.host.journal.open.first)
            #expect(record.kind == "command_snapshot")
            #expect(try storage.host.mounts() == [storage.host.mountPoint])
            record.facts["release"] = release.joined(separator: "\n")
            for _ in 1...2 { try await storage.host.undoAll([record]) }
            #expect(try storage.stored() == [])
            #expect(try storage.host.mounts() == [])
        }
    }
}
