import Linux
import SystemPackage
import TestSupport
import Testing

@testable import DumpCore
@testable import Snapshots

/// The subvolume and the top of its file system belong to a user, who can rename and exchange all that is in them.
@Suite("A Btrfs snapshot of what a user owns")
struct BtrfsOwnerTests {
    private func withVolume(_ body: (SnapshotHost, BtrfsVolume, _ victim: FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await BtrfsVolume.with(in: scratch) { volume in
                let victim = volume.root.appending("victim")
                try await volume.create(subvolume: victim)
                try write("private", to: victim.appending("file"))
                try await output("chown", "23456", volume.root.string, volume.data.string, volume.documents.string)
                try await body(SnapshotHost(scratch: scratch), volume, victim)
            }
        }
    }

    private func asUser(_ command: String...) async throws -> Command.Result {
        try await Command.run(
            "/usr/bin/setpriv", ["--reuid=23456", "--regid=23456", "--clear-groups", "--"] + command, environment: [:],
            scratch: "/tmp")
    }

    @Test("is reached by nobody but root, and gives no rights and no devices where it is mounted")
    func closed() async throws {
        try await withVolume { host, volume, _ in
            try await output("cp", "/usr/bin/id", volume.documents.appending("id").string)
            try await output("chmod", "4755", volume.documents.appending("id").string)
            let held = try await host.examined(volume.documents).take(in: host.context())
            let inside = volume.root.pushing(FilePath(try #require(held.moment.evidence["name"])))
            for root in [inside.appending("documents"), held.tree] {
                #expect(try read(root.appending("letter")) == "old")
                let letter = try await asUser("/bin/cat", root.appending("letter").string)
                #expect(letter.status == .exited(1) && letter.errors.contains("Permission denied"), "\(letter)")
                // By a shell: setpriv(1) itself may enter what the user may not.
                #expect(try await asUser("/bin/sh", "-c", "\(root)/id -u").status == .exited(126))
            }
            let options = try await output("findmnt", "-no", "OPTIONS", host.mountPoint.string)
            #expect(options.hasPrefix("ro,nosuid,nodev,noexec,"), "\(options)")
            await held.release()
            try host.expectNothingLeft()
        }
    }

    @Test("is what is mounted and deleted, whatever the owner puts in its place as fast as he can")
    func stolen() async throws {
        try await withVolume { host, volume, victim in
            for place in [volume.root, volume.data] {
                try await Swapper.stealing(in: place, prefix: ".muster-", for: victim, scratch: host.scratch) {
                    () async throws in
                    for _ in 1...10 {
                        guard let plan = try? await host.examined(volume.documents),
                            let held = try? await plan.take(in: host.context())
                        else { continue }
                        #expect(try read(held.tree.appending("letter")) == "old")
                        await held.release()
                    }
                }
                try await host.undoAll()
                #expect(try await volume.subvolumes() == ["data", "victim"])
                #expect(try read(victim.appending("file")) == "private")
                #expect(try host.mounts() == [])
            }
        }
    }

    @Test("is deleted when its directory was renamed, and not what came into its place")
    func renamed() async throws {
        try await withVolume { host, volume, victim in
            let held = try await host.examined(volume.documents).take(in: host.context())
            let name = FilePath(try #require(held.moment.evidence["name"])).removingLastComponent()
            try FileSystem.rename(volume.root.pushing(name), to: volume.root.appending("moved"))
            try await output("ln", "-s", victim.string, volume.root.pushing(name).string)
            try await held.confirm()
            await held.release()
            #expect(try await volume.subvolumes() == ["data", "victim"])
            #expect(host.journal.open == [])
            #expect(try host.mounts() == [])
        }
    }

    @Test("is not taken of another subvolume that came into the place of the planned one")
    func exchanged() async throws {
        try await withVolume { host, volume, victim in
            let plan = try await host.examined(volume.documents)
            try FileSystem.exchange(volume.data, victim)
            let error = await #expect(throws: DumpError.self) { try await plan.take(in: host.context()) }
            #expect(error?.code == .sourceUnavailable)
            #expect(
                error?.message == "\(volume.data) is no longer the subvolume that it was when the run began")
            #expect(try await volume.subvolumes() == ["data", "victim"])
            try host.expectNothingLeft()
        }
    }

    @Test("is not left through a link that came into the path before it was taken")
    func link() async throws {
        try await withVolume { host, volume, victim in
            let inner = volume.documents.appending("inner")
            try await output("mkdir", "-p", inner.appending("dumped").string)
            try await output("mkdir", victim.appending("dumped").string)
            let plan = try await host.examined(inner.appending("dumped"))
            try FileSystem.rename(inner, to: volume.documents.appending("aside"))
            try await output("ln", "-s", victim.string, inner.string)
            let held = try await plan.take(in: host.context())
            let error = #expect(throws: DumpError.self) { try held.openTree() }
            #expect(error?.code == .sourceUnavailable)
            #expect(error?.message.hasPrefix("cannot open \(held.tree), in the snapshot: ") == true)
            await held.release()
            try host.expectNothingLeft()
        }
    }

    @Test("has no part mounted through a link that came into its place before it was taken")
    func linkToPart() async throws {
        try await withVolume { host, volume, victim in
            let inner = volume.documents.appending("inner")
            try await output("mkdir", inner.string)
            try await output("mkdir", victim.appending("part").string)
            try await volume.create(subvolume: inner.appending("part"))
            var settings = SnapshotSettings(.btrfs)
            settings.nested = .include
            let plan = try await host.examined(volume.documents, settings)
            try FileSystem.rename(inner, to: volume.documents.appending("aside"))
            try await output("ln", "-s", victim.string, inner.string)
            await #expect(throws: DumpError.self) { try await plan.take(in: host.context()) }
            #expect(try MountTable.current().mounts(below: victim) == [])
            try host.expectNothingLeft()
        }
    }

    @Test("of an older Muster, which lay in its subvolume, is given up by its record")
    func former() async throws {
        try await withVolume { host, volume, _ in
            let held = try await host.examined(volume.documents).take(in: host.context())
            var record = try #require(host.journal.open.first)
            await held.release()
            record.facts["file_system_uuid"] = nil
            let entry = volume.data.appending(try #require(record.facts["snapshot"]))
            try await output("btrfs", "subvolume", "snapshot", "-r", volume.data.string, entry.string)
            try await host.undoAll([record])
            #expect(try await volume.subvolumes() == ["data", "victim"])
        }
    }
}
