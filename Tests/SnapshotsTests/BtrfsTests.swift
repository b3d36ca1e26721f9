import Linux
import SystemPackage
import TestSupport
import Testing

@testable import DumpCore
@testable import Snapshots

@Suite("A Btrfs snapshot")
struct BtrfsTests {
    private func withVolume(_ body: (SnapshotHost, BtrfsVolume) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await BtrfsVolume.with(in: scratch) { volume in
                try await body(SnapshotHost(scratch: scratch), volume)
            }
        }
    }

    @Test("holds what was there at its moment, where it always is, read-only, and leaves nothing behind")
    func wholeLife() async throws {
        try await withVolume { host, volume in
            let before = try await volume.subvolumes()
            let plan = try await host.examined(volume.documents)
            #expect(plan.findings == [])
            #expect(plan.facts["snapshot"] == "btrfs")
            #expect(plan.facts["volume"] == volume.data.string)
            #expect(plan.facts["mount_point"] == host.mountPoint.string)
            #expect(try await volume.subvolumes() == before, "to examine changes nothing")
            #expect(host.journal.all == [])

            let start = Timestamp.now
            let held = try await plan.take(in: host.context())
            try write("new", to: volume.letter)
            #expect(held.tree == host.mountPoint.appending("documents"))
            #expect(try read(held.tree.appending("letter")) == "old")
            #expect(throws: Errno.readOnlyFileSystem) { try write("x", to: held.tree.appending("letter")) }
            #expect(held.moment.kind == .window)
            #expect(start <= held.moment.from && held.moment.from <= held.moment.to && held.moment.to <= .now)
            let id = try await Subvolume.at(volume.data, by: host.round.programs).id
            let name = ".muster-nightly-\(host.run.context.runID)-\(id.prefix(8))"
            #expect(held.moment.evidence == ["snapshot": "btrfs", "name": "\(name)/\(name)"])
            #expect(try await volume.subvolumes() == ["\(name)/\(name)", "data"])
            #expect(try FileSystem.status(of: volume.root.appending(name)).mode == 0o700)
            #expect(host.journal.open.map(\.kind) == ["btrfs_snapshot", "snapshot_mount"])
            try await held.confirm()

            await held.release()
            #expect(try await volume.subvolumes() == before)
            try host.expectNothingLeft()
            await held.release()
            #expect(host.journal.all.count == 2)
        }
    }

    @Test("is shared by all dumps on its subvolume, given up by the last, and taken again after that")
    func shared() async throws {
        try await withVolume { host, volume in
            for _ in 1...2 {
                let app = try await host.examined(volume.documents, for: "app")
                let whole = try await host.examined(volume.data, for: "whole")
                async let first = app.take(in: host.context(of: "app"))
                async let second = whole.take(in: host.context(of: "whole"))
                let (one, other) = try await (first, second)
                #expect(one.moment == other.moment)
                #expect(try await volume.subvolumes().count == 2)
                await one.release()
                #expect(try read(other.tree.appending("documents/letter")) == "old")
                #expect(try await volume.subvolumes().count == 2)
                try await other.confirm()
                await other.release()
                #expect(try await volume.subvolumes() == ["data"])
                try host.expectNothingLeft()
            }
        }
    }

    @Test("does not hold the subvolumes in it, which keeps the run from starting, unless they are omitted or included")
    func nested() async throws {
        try await withVolume { host, volume in
            let inner = volume.documents.appending("inner")
            let innermost = inner.appending("innermost")
            for subvolume in [inner, innermost, volume.data.appending("beside")] {
                try await volume.create(subvolume: subvolume)
            }
            try write("deep", to: innermost.appending("file"))
            var settings = SnapshotSettings(.btrfs)
            let refused = try await host.examined(volume.documents, settings)
            #expect(
                refused.findings
                    == [inner, innermost].map {
                        Finding(
                            .failure, "volume_not_in_snapshot", object: $0.string,
                            "the subvolume at \($0) is not in the snapshot",
                            hint:
                                "Write nested: include to take one of it too, or nested: omit if the dump need not hold it."
                        )
                    })

            settings.nested = .omit
            let omitted = try await host.examined(volume.documents, settings)
            #expect(omitted.findings.map(\.severity) == [.warning, .warning])
            let without = try await omitted.take(in: host.context())
            #expect(try FileSystem.names(in: without.tree.appending("inner")) == [])
            await without.release()

            settings.nested = .include
            let included = try await host.examined(volume.documents, settings)
            #expect(included.findings == [])
            let whole = try await included.take(in: host.context())
            #expect(try read(whole.tree.appending("inner/innermost/file")) == "deep")
            #expect(whole.moment.kind == .window)
            try await whole.confirm()
            await whole.release()
            try host.expectNothingLeft()
            #expect(try await volume.subvolumes().count == 4)
        }
    }

    @Test("of a path that another file system lies in is refused, unless that is omitted")
    func mountBelow() async throws {
        try await withVolume { host, volume in
            let other = volume.documents.appending("other")
            try FileSystem.createDirectory(other)
            try await withCleanup { cleanup in
                try await output("mount", "--bind", "/etc", other.string)
                cleanup.append { try await unmount(other) }
                var settings = SnapshotSettings(.auto)
                settings.nested = .include
                let refused = try await host.examined(volume.documents, settings)
                #expect(refused.findings.map(\.severity) == [.failure])
                #expect(refused.findings[0].object == other.string)
                settings.nested = .omit
                #expect(try await host.examined(volume.documents, settings).findings.map(\.severity) == [.warning])
            }
        }
    }

    @Test(
        "is no good when a volume has come below the path since it was planned, unless that is omitted",
        arguments: [false, true])
    func volumeAppears(byMount: Bool) async throws {
        try await withVolume { host, volume in
            let late = volume.documents.appending("late")
            for nested in [SnapshotSettings.Nested.refuse, .include, .omit] {
                var settings = SnapshotSettings(.btrfs)
                settings.nested = nested
                let plan = try await host.examined(volume.documents, settings)
                try await withCleanup { cleanup in
                    if byMount {
                        try FileSystem.createDirectory(late)
                        try await output("mount", "--bind", "/etc", late.string)
                        cleanup.append { try await unmount(late) }
                    } else {
                        try await volume.create(subvolume: late)
                    }
                    guard nested != .omit else { return await (try plan.take(in: host.context())).release() }
                    let error = await #expect(throws: DumpError.self) { try await plan.take(in: host.context()) }
                    #expect(error?.code == .volumeAppeared && error?.isTransient == true)
                    #expect(error?.message.contains(" at \(late) appeared while") == true, "\(error as Any)")
                }
                try host.expectNothingLeft()
                if byMount {
                    try FileSystem.removeEmptyDirectory(late)
                } else {
                    try await output("btrfs", "subvolume", "delete", late.string)
                }
            }
        }
    }

    @Test("does not mind a subvolume that has come after it")
    func volumeAfterwards() async throws {
        try await withVolume { host, volume in
            let plan = try await host.examined(volume.documents)
            let held = try await plan.take(in: host.context())
            try await volume.create(subvolume: volume.documents.appending("late"))
            try await plan.planning.requireNoVolume(besides: [], in: held.tree)
            await held.release()
        }
    }

    @Test("that was unmounted or deleted while it was read is not confirmed")
    func lost() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            try await unmount(host.mountPoint)
            let error = await #expect(throws: DumpError.self) { try await held.confirm() }
            #expect(error?.code == .snapshotLost)
            await held.release()
            try host.expectNothingLeft()

            let again = try await host.examined(volume.documents).take(in: host.context())
            let name = try #require(again.moment.evidence["name"])
            try await output("btrfs", "subvolume", "delete", volume.root.pushing(FilePath(name)).string)
            await #expect(throws: DumpError.self) { try await again.confirm() }
            await again.release()
            try host.expectNothingLeft()
        }
    }

    @Test("that is in use at its release stays, mounted and on record, until it can be undone")
    func busy() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            let file = try FileDescriptor.open(
                held.tree.appending("letter"), .readOnly, options: .closeOnExec)
            await held.release()
            #expect(try host.mounts() == [host.mountPoint])
            #expect(host.journal.open.map(\.kind) == ["btrfs_snapshot", "snapshot_mount"])
            #expect(try await volume.subvolumes().count == 2)
            await #expect(throws: DumpError.self) {
                try await host.examined(volume.documents).take(in: host.context())
            }
            #expect(try await volume.subvolumes().count == 2)
            // Whoever reads it must not find it gone, whatever order things are undone in.
            let records = host.journal.open
            let mounted = await #expect(throws: DumpError.self) { try await host.undoAll([records[0]]) }
            #expect(mounted?.message == "the snapshot is still mounted at \(host.mountPoint)")
            #expect(try await volume.subvolumes().count == 2)
            try file.close()
            for _ in 1...2 {
                try await host.undoAll(records)
                #expect(try await volume.subvolumes() == ["data"])
                #expect(try host.mounts() == [])
            }
        }
    }

    @Test("is told from what others made, whatever it is called")
    func foreign() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            let records = host.journal.open
            let path = volume.root.pushing(FilePath(try #require(held.moment.evidence["name"])))
            let (name, directory) = (path.string, path.removingLastComponent())
            await held.release()

            let similar = directory.string + "-2"
            try await output("btrfs", "subvolume", "snapshot", "-r", volume.data.string, similar)
            try FileSystem.createDirectory(directory)
            // The same name, but writable; then read-only, but of another subvolume; then a plain directory.
            try await output("btrfs", "subvolume", "snapshot", volume.data.string, name)
            try await host.undoAll(records)
            #expect(try await volume.subvolumes().count == 3)
            try await output("btrfs", "subvolume", "delete", name)
            try await volume.create(subvolume: volume.root.appending("other"))
            try await output("btrfs", "subvolume", "snapshot", "-r", volume.root.appending("other").string, name)
            try await host.undoAll(records)
            #expect(try await volume.subvolumes().count == 4)
            try await output("btrfs", "subvolume", "delete", name)
            try FileSystem.createDirectory(FilePath(name))
            try await host.undoAll(records)
            #expect(try FileSystem.status(of: FilePath(name)).kind == .directory)
            #expect(host.run.logged.all.filter { $0.contains("left alone") }.count == 3)
            #expect(try await volume.subvolumes().count == 3)
            // Nothing is taken where something is.
            await #expect(throws: DumpError.self) {
                try await host.examined(volume.documents).take(in: host.context())
            }
            #expect(try await volume.subvolumes().count == 3)
        }
    }

    @Test("is not mounted where something else is, which is left alone, also over a snapshot of ours")
    func foreignMount() async throws {
        try await withVolume { host, volume in
            try FileSystem.createDirectory(host.runtime)
            try FileSystem.createDirectory(host.mountPoint.removingLastComponent())
            try FileSystem.createDirectory(host.mountPoint)
            let mount = { _ = try await output("mount", "-t", "tmpfs", "somebody", host.mountPoint.string) }
            try await mount()
            let plan = try await host.examined(volume.documents)
            let error = await #expect(throws: DumpError.self) { try await plan.take(in: host.context()) }
            #expect(error?.message.hasPrefix("cannot use \(host.mountPoint) to mount a snapshot") == true)
            #expect(try await volume.subvolumes() == ["data"])
            #expect(host.journal.open == [])
            try await host.undoAll(host.journal.all)
            #expect(try MountTable.current().mount(at: host.mountPoint)?.source == "somebody")
            try await unmount(host.mountPoint)

            let held = try await plan.take(in: host.context())
            try await mount()
            await #expect(throws: DumpError.self) { try await held.confirm() }
            await held.release()
            #expect(try host.mounts() == [host.mountPoint, host.mountPoint])
            #expect(try await volume.subvolumes().count == 2)
            try await unmount(host.mountPoint)
            try await host.undoAll()
            #expect(try await volume.subvolumes() == ["data"])
            #expect(try host.mounts() == [])
        }
    }

    @Test("is given up although its subvolume was moved, and another one has its name")
    func renamed() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            let record = try #require(host.journal.open.first)
            try await unmount(host.mountPoint)
            let moved = volume.root.appending("moved")
            try FileSystem.rename(volume.data, to: moved)
            try await volume.create(subvolume: volume.data)
            try await host.undoAll([record])
            #expect(try await volume.subvolumes() == ["data", "moved"])
            await held.release()
            try host.expectNothingLeft()
        }
    }

    @Test("is not taken of a subvolume without a UUID: it could not be known as ours again")
    func nameless() async throws {
        try await withVolume { host, volume in
            let fakes = try FakePrograms(in: host.scratch)
            try fakes.add("btrfs", #"/usr/bin/btrfs "$@" | sed 's/^\(\s*UUID:\s*\).*/\1-/'"#)
            let old = SnapshotHost(scratch: host.scratch, bin: fakes.bin)
            let error = await #expect(throws: DumpError.self) { try await old.examined(volume.documents) }
            #expect(error?.message.hasPrefix("the subvolume \(volume.data) has no UUID") == true)
        }
    }

    @Test("is told from one that was there before, by what Btrfs counts")
    func older() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            var record = try #require(host.journal.open.first)
            let generation = try #require(record.facts["generation"].flatMap { UInt64($0) })
            record.facts["generation"] = "\(generation + 1000)"
            try await unmount(host.mountPoint)
            try await host.undoAll([record])
            #expect(try await volume.subvolumes().count == 2)
            await held.release()
            #expect(try await volume.subvolumes() == ["data"])
        }
    }

    @Test("stays on record while its file system is not mounted")
    func notMounted() async throws {
        try await withVolume { host, volume in
            let held = try await host.examined(volume.documents).take(in: host.context())
            let record = try #require(host.journal.open.first)
            try await unmount(host.mountPoint)
            try await volume.unmount()
            let error = await #expect(throws: DumpError.self) { try await host.round.undo(record, in: host.context()) }
            #expect(
                error?.description == """
                    the file system of \(volume.data), which had the snapshot \(record.facts["snapshot"] ?? ""), is not mounted
                      uuid: \(record.facts["file_system_uuid"] ?? "")
                      hint: Mount it, and run 'muster undo'.
                    """)
            try await volume.mount()
            await held.release()
            #expect(try await volume.subvolumes() == ["data"])
            try host.expectNothingLeft()
        }
    }

    @Test("cannot be had of what is none of Btrfs, ZFS and LVM, or is not what was asked for")
    func unsuitable() async throws {
        try await withVolume { host, volume in
            try await withMemoryFileSystem(kibibytes: 100, at: host.scratch.directory("memory")) {
                let path = host.scratch.appending("memory")
                let error = await #expect(throws: DumpError.self) { try await host.examined(path) }
                #expect(
                    error?.description == """
                        \(path) lives on tmpfs of tmpfs, mounted at \(path), of which no snapshot can be taken
                          hint: Move it to Btrfs, ZFS or a logical volume, or write commands of your own under \
                        'snapshot: {command: {create: …, mount: …, release: …}}', or leave snapshot out.
                        """)
            }
            let error = await #expect(throws: DumpError.self) {
                try await host.examined(volume.documents, SnapshotSettings(.zfs))
            }
            #expect(error?.message.hasSuffix("mounted at \(volume.root), which is not zfs") == true)
            await #expect(throws: DumpError.self) { try await host.examined(volume.root.appending("nothing")) }
        }
    }

    @Test("of a path through a symbolic link is of what it leads to")
    func link() async throws {
        try await withVolume { host, volume in
            let link = host.scratch.appending("link")
            try await output("ln", "-s", volume.documents.string, link.string)
            let held = try await host.examined(link).take(in: host.context())
            #expect(try read(held.tree.appending("letter")) == "old")
            await held.release()
            try host.expectNothingLeft()
        }
    }
}

extension FilePath {
    /// A new directory of that name in this one.
    func directory(_ name: String) throws -> FilePath {
        try FileSystem.createDirectory(appending(name))
        return appending(name)
    }
}
