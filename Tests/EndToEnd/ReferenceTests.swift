import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A directory that Borg reads in place")
struct ReferenceTests {
    private func withReference(
        _ borg: BorgUnderTest? = nil, _ body: (inout TestHost, BtrfsVolume) async throws -> Void
    ) async throws {
        try await TestHost.withBtrfs(borg, size: "256M", lines: ["    snapshot: btrfs", "    stage: reference"], body)
    }

    /// One of everything that a tree may hold, except what the volume has not got.
    private func fill(_ volume: BtrfsVolume) async throws -> TreeFixture {
        try await TreeFixture(at: volume.documents.appending("everything"))
    }

    /// That nothing is left of any snapshot.
    private func expectReleased(_ host: TestHost, _ volume: BtrfsVolume) async throws {
        #expect(try host.mountPoints() == [])
        #expect(try host.journal() == [])
        #expect(try await volume.subvolumes() == ["data"])
    }

    @Test(
        "is in the archive and not in the set, comes back as if it had been copied, and its snapshot ends with the run",
        arguments: BorgUnderTest.allCases)
    func roundTrip(version: BorgUnderTest) async throws {
        try await withReference(version) { host, volume in
            let tree = try await fill(volume)
            // What chattr sets is not kept: it would be in the way of who extracts it.
            try await output("chattr", "+i", tree.root.appending("plain").string, volume.documents.string)
            let run = try await host.muster("run", "--json")
            try #require(run.status == .exited(0), "\(run.errors)")
            try await expectReleased(host, volume)
            #expect(
                try FileSystem.names(in: host.current.appending("documents")).map(\.string) == ["tree.mtree"])
            try await host.mustSucceed("verify")
            // The size is that of the tree, and no surprise to the next run.
            #expect(
                try await host.value(
                    "[m['bytes'] > 100000 for m in d['dumps'] if m['name'] == 'documents']", of: run.output)
                    == "[True]", "\(run.output)")

            let into = host.scratch.appending("x")
            try await host.mustSucceed("extract", "latest", "--into", into.string)
            #expect(
                try FileSystem.names(in: into).map(\.string).sorted()
                    == ["app", "checksums", "documents", "manifest.json"])
            #expect(try await tree.differences(from: into.appending("documents/tree/everything")) == "")
            try await output("chattr", "-i", tree.root.appending("plain").string, volume.documents.string)
            try await host.mustSucceed("verify", "--set", into.string)
            try FileSystem.removeFile(into.appending("documents/tree/letter"))
            let damaged = try await host.muster("verify", "--set", into.string)
            #expect(damaged.status == .exited(5))
            #expect(damaged.output.contains("documents/tree/letter: missing"), "\(damaged.output)")
            let part = host.scratch.appending("part")
            try await host.mustSucceed(
                "extract", "latest", "documents/tree/everything/plain/sub", "--into", part.string)
            let found = try FileTree(part).entries().map(\.path.string)
            #expect(found.contains("documents/tree/everything/plain/sub"), "\(found)")
            #expect(!found.contains { $0.hasPrefix("run") || $0.hasSuffix("plain/file") }, "\(found)")

            let again = try await host.muster("run", "--json")
            #expect(again.status == .exited(0) && !again.errors.contains("size_"), "\(again.errors)")
            #expect(
                try await host.value("d['archives'][0]['stored_bytes'] < 200000", of: again.output) == "True",
                "\(again.output)")
            try await expectReleased(host, volume)
        }
    }

    @Test("is kept by 'muster dump' until 'muster release', for whichever Borg comes, and asked for before and after")
    func kept() async throws {
        try await withReference { host, volume in
            try await host.mustSucceed("dump")
            let place = host.mounts.appending("documents/documents")
            #expect(try read(place.appending("letter")) == "old")
            try write("new", to: volume.letter)
            let status = try await host.mustSucceed("status")
            #expect(status.contains("kept for Borg by run "), "\(status)")
            #expect(status.contains("snapshot_mount of dump documents (muster release)"), "\(status)")
            // It is no leftover, and an archive by hand leaves it to the other Borg.
            #expect(try await host.mustSucceed("undo") == "nothing is left to undo\n")
            try await host.mustSucceed("archive")
            let lent = try await host.muster("with-lock", "--", "cat", "\(place)/letter")
            #expect(lent.status == .exited(0) && lent.output == "old", "\(lent.errors)")
            // A dump by hand has its snapshot elsewhere.
            let into = host.scratch.appending("by-hand")
            try await host.mustSucceed("dump", "--into", into.string)
            #expect(try read(into.appending("documents/tree/letter")) == "new")
            #expect(try read(place.appending("letter")) == "old")

            let released = try await host.mustSucceed("release")
            #expect(released.contains("released: btrfs_snapshot of dump documents, kept by run "), "\(released)")
            try await expectReleased(host, volume)
            #expect(try await host.mustSucceed("release") == "nothing is kept\n")
            let archives = try await host.archiveNames()
            #expect(archives.count == 1)
            let late = try await host.muster("archive")
            #expect(late.status == .exited(4))
            #expect(
                late.errors.contains("the snapshot of dump 'documents', which Borg reads in place, is already released")
            )
            #expect(try await host.archiveNames() == archives)
            let lateBorg = try await host.muster("with-lock", "--", "true")
            #expect(lateBorg.status == .exited(3))
            #expect(lateBorg.errors.contains("nothing is kept at \(place)"), "\(lateBorg.errors)")
        }
    }

    @Test("is released with the subvolumes in it, each of which has a snapshot of its own")
    func nested() async throws {
        try await withReference { host, volume in
            host.job.dumpLines = host.job.dumpLines.map {
                $0 == "    snapshot: btrfs" ? "    snapshot: {btrfs: {nested: include}}" : $0
            }
            for name in ["one", "two"] {
                try await volume.create(subvolume: volume.documents.appending(name))
                try write(name, to: volume.documents.appending("\(name)/file"))
            }
            for _ in 1...2 {
                try await host.mustSucceed("dump")
                #expect(try host.mountPoints().count == 3)
                #expect(try read(host.mounts.appending("documents/documents/two/file")) == "two")
                let released = try await host.mustSucceed("release")
                #expect(released.split(separator: "\n").count == 6, "\(released)")
                #expect(try host.mountPoints() == [])
                #expect(try host.journal() == [])
                #expect(try await volume.subvolumes() == ["data", "data/documents/one", "data/documents/two"])
            }
        }
    }

    @Test("that is in use is not released, until it is not")
    func inUse() async throws {
        try await withReference { host, volume in
            try await host.mustSucceed("dump")
            let letter = host.mounts.appending("documents/documents/letter")
            // No program that another test starts is to have it open too.
            let user = try FileDescriptor.open(letter, .readOnly, options: .closeOnExec)
            let busy = try await host.muster("release")
            #expect(busy.status == .exited(1))
            #expect(busy.output.contains("not released: snapshot_mount of dump documents"), "\(busy.output)")
            try user.close()
            let released = try await host.mustSucceed("release")
            #expect(released.contains("released: snapshot_mount of dump documents"), "\(released)")
            try await expectReleased(host, volume)
        }
    }

    @Test("is released as good although its dump has another name by now")
    func renamed() async throws {
        try await withReference { host, volume in
            try await host.mustSucceed("dump")
            host.job.dumpLines = host.job.dumpLines.map { $0 == "  documents:" ? "  papers:" : $0 }
            let released = try await host.mustSucceed("release")
            #expect(!released.contains("do not trust"), "\(released)")
            try await expectReleased(host, volume)
        }
    }

    @Test("that was never released gives way to the next run, which says so")
    func neverReleased() async throws {
        try await withReference { host, volume in
            try await host.mustSucceed("dump")
            let next = try await host.muster("run")
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(next.errors.contains("'muster release' never was"), "\(next.errors)")
            try await expectReleased(host, volume)
        }
    }

    @Test("that is lost while Borg reads it, or afterwards, is no archive, and 'muster release' says not to trust it")
    func lost() async throws {
        try await withReference { host, volume in
            let mount = host.mounts.appending("documents")
            try host.fake(
                "borg",
                "/usr/bin/borg \"$@\"; status=$?; case \"$*\" in *create*) umount \(mount) ;; esac; exit $status")
            let run = try await host.muster("run")
            #expect(run.status == .exited(4))
            #expect(run.errors.contains("the snapshot is no longer mounted at \(mount)"), "\(run.errors)")
            #expect(unlink(host.bin.appending("borg").string) == 0)
            #expect(try await host.archiveNames() == [])
            try await expectReleased(host, volume)

            try await host.mustSucceed("dump")
            try await output("umount", mount.string)
            let lent = try await host.muster("with-lock", "--", "true")
            #expect(lent.status == .exited(3), "\(lent.errors)")
            #expect(lent.errors.contains("nothing is kept at \(mount)/documents"), "\(lent.errors)")
            let archive = try await host.muster("archive")
            #expect(archive.status == .exited(4))
            let release = try await host.muster("release")
            #expect(release.status == .exited(5))
            #expect(release.output.contains("do not trust what Borg read: the snapshot is no longer mounted"))
            try await expectReleased(host, volume)

            // Nor does another run in between hide it, which releases what is there.
            try await host.mustSucceed("dump")
            try await output("umount", mount.string)
            try await host.mustSucceed("run")
            let status = try await host.mustSucceed("status")
            #expect(
                status.contains("lost, although Borg should read it: snapshot_mount of dump documents"), "\(status)")
            #expect(try await host.mustSucceed("undo") == "nothing is left to undo\n")
            let told = try await host.muster("release")
            #expect(told.status == .exited(5))
            #expect(
                told.output.hasPrefix("do not trust what Borg read: the snapshot is no longer mounted"),
                "\(told.output)")
            try await expectReleased(host, volume)
            #expect(try await host.mustSucceed("release") == "nothing is kept\n")
        }
    }

    @Test("goes with a run that fails or is killed while its snapshot is held", arguments: ["published", "created"])
    func killed(at point: String) async throws {
        try await withReference { host, volume in
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": point])
            try #require(await run.stopped())
            #expect(try host.mountPoints() == [host.mounts.appending("documents")])
            run.send(SIGKILL)
            _ = try await run.result()
            let next = try await host.muster("archive")
            #expect(next.status == .exited(4), "\(next.errors)")
            #expect(next.errors.contains("undid what a dead run had left"), "\(next.errors)")
            try await expectReleased(host, volume)
            try await host.mustSucceed("run")
            try await expectReleased(host, volume)
        }
    }

    @Test("is copied after all by a dump by hand, and needs a snapshot that leaves nothing out")
    func byHand() async throws {
        try await withReference { host, volume in
            let into = host.scratch.appending("by-hand")
            try await host.mustSucceed("dump", "--into", into.string)
            #expect(try read(into.appending("documents/tree/letter")) == "old")
            try await expectReleased(host, volume)
            let good = host.job.dumpLines
            host.job.dumpLines = good.filter { !$0.contains("snapshot:") }
            #expect(try await host.muster("check").errors.contains("needs a snapshot: Borg would read what is being"))
            host.job.dumpLines = good + ["    exclude: [cache]"]
            #expect(try await host.muster("check").errors.contains("hands all of the tree to Borg, and leaves nothing"))
        }
    }
}
