import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A directory that is dumped from a snapshot")
struct SnapshotTests {
    @Test("is as of one moment, whatever is written, rewritten and removed while it is copied")
    func oneMoment() async throws {
        try await TestHost.withBtrfs(hasServer: true) { host, volume in
            let busy = volume.documents.appending("busy")
            try write(String(8 << 20, of: "0"), to: busy)
            let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "directory.walked"])
            try #require(await run.stopped())
            #expect(unlink(volume.letter.string) == 0)
            try write("late", to: volume.documents.appending("new"))
            try write(String(8 << 20, of: "1"), to: busy)
            let writer = try Command(
                "/bin/bash", ["-c", "while :; do printf 2 >> \(busy); done"], environment: [:], scratch: host.scratch)
            run.send(SIGCONT)
            let result = try await run.result()
            writer.send(SIGKILL)
            _ = try await writer.result()

            #expect(result.status == .exited(0), "\(result.errors)")
            let manifest = try read(host.current.appending("manifest.json"))
            #expect(try await host.momentKinds(in: manifest) == "{'app': 'exact', 'documents': 'window'}")
            #expect(
                try await host.value(
                    "[f for m in d['dumps'] if m['name'] == 'documents' for f in m['findings']]", of: manifest)
                    == "[]")
            let tree = host.current.appending("documents/tree")
            #expect(try FileSystem.names(in: tree).map(\.string).sorted() == ["busy", "letter"])
            #expect(try read(tree.appending("letter")) == "old")
            #expect(try read(tree.appending("busy")) == String(8 << 20, of: "0"))
            try await host.mustSucceed("verify")
        }
    }

    @Test("does not put its snapshot into another dump that is read live meanwhile")
    func liveBeside() async throws {
        try await TestHost.withBtrfs { host, volume in
            host.job.dumpLines += [
                "  rest:", "    provider: directory", "    path: \(volume.root)", "    exclude: [/data/]",
            ]
            try write("other", to: volume.root.appending("other"))
            let dump = try await host.mustSucceed("dump")
            #expect(dump.contains("dump rest: "), "\(dump)")
            #expect(try read(host.current.appending("documents/tree/letter")) == "old")
            #expect(try FileSystem.names(in: host.current.appending("rest/tree")) == ["other"])
            #expect(
                try await host.value(
                    "[f['code'] for m in d['dumps'] if m['name'] == 'rest' for f in m['omissions']]",
                    of: try read(host.current.appending("manifest.json"))) == "['own_snapshot', 'excluded']")
        }
    }

    @Test("must not have subvolumes in it that the snapshot does not hold, or the run does not start")
    func nested() async throws {
        try await TestHost.withBtrfs { host, volume in
            let inner = volume.documents.appending("inner")
            try await volume.create(subvolume: inner)
            let refused = try await host.muster("run")
            #expect(refused.status == .exited(3))
            #expect(
                refused.errors.contains(
                    """
                    muster: the subvolume at \(inner) is not in the snapshot
                      dump: documents
                      hint: Write nested: include to take one of it too, or nested: omit if the dump need not hold it.

                    """), "\(refused.errors)")
            #expect(access(host.current.string, F_OK) != 0)
            #expect(try await host.archiveNames() == [])
            #expect(try await volume.subvolumes() == ["data", "data/documents/inner"])
        }
    }

    @Test(
        "has no subvolume replaced by an empty directory, whatever its name does to the lines of btrfs",
        arguments: ["a\r", "\u{301}b", "c\nd", "e\nID 300 gen 5 top level 5 path f"])
    func hidingName(name: String) async throws {
        try await TestHost.withBtrfs { host, volume in
            let hidden = volume.documents.appending(try #require(FilePath.Component(name)))
            for subvolume in [hidden, volume.documents.appending("z")] {
                try await volume.create(subvolume: subvolume)
                try write("kept", to: subvolume.appending("file"))
            }
            let refused = try await host.muster("run")
            #expect(refused.status == .exited(3), "\(refused.errors)")
            #expect(access(host.current.string, F_OK) != 0)

            host.job.dumpLines[host.job.dumpLines.endIndex - 1] = "    snapshot: {btrfs: {nested: include}}"
            let included = try await host.muster("dump")
            guard included.status == .exited(0) else {
                #expect(included.status == .exited(3))
                #expect(included.errors.contains("is not in the snapshot, which has an empty directory there"))
                return #expect(access(host.current.string, F_OK) != 0)
            }
            let copy = host.current.pushing("documents/tree").appending(try #require(hidden.lastComponent))
            #expect(try read(copy.appending("file")) == "kept")
            #expect(try read(host.current.appending("documents/tree/z/file")) == "kept")
        }
    }

    @Test("shares its blocks with a staging directory on the same volume")
    func sharedBlocks() async throws {
        try await TestHost.withBtrfs(size: "512M") { host, volume in
            let large = volume.documents.appending("large")
            try await output("dd", "if=/dev/urandom", "of=\(large)", "bs=1M", "count=16", "conv=fsync", "status=none")
            host.job.staging = volume.root.appending("staging").string
            #expect(try await !isShared(large))
            try await host.mustSucceed("dump")
            let copy = volume.root.appending("staging/current/documents/tree/large")
            #expect(try await isShared(copy))
            try await output("cmp", large.string, copy.string)
            try await host.mustSucceed("verify")
            #expect(try await volume.subvolumes() == ["data"])
        }
    }

    /// Whether every extent of a file belongs to another one as well.
    private func isShared(_ file: FilePath) async throws -> Bool {
        let extents = try await output("/usr/sbin/filefrag", "-s", "-v", file.string).split(separator: "\n")
            .filter { $0.prefix { $0 != ":" }.allSatisfy { $0 == " " || $0.isNumber } && $0.contains("..") }
        try #require(!extents.isEmpty)
        return extents.allSatisfy { $0.contains("shared") }
    }
}
