import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A directory in a job")
struct DirectoryTests {
    /// The host's job with a dump `documents` of a tree with one of everything.
    /// - Parameter isAlone: the job has no other directory, which would pass the same stop points.
    private func withTree(
        _ borg: BorgUnderTest? = nil, deep: Bool = false, isAlone: Bool = false,
        _ body: (inout TestHost, TreeFixture) async throws -> Void
    ) async throws {
        let host = isAlone ? TestHost.with(_:hasRepository:_:) : TestHost.withFiles(_:hasRepository:_:)
        try await host(borg, true) { host in
            let tree = try await TreeFixture(at: host.scratch.appending("documents"), deep: deep)
            host.job.dumpLines += ["  documents:", "    provider: directory", "    path: \(tree.root)"]
            try await body(&host, tree)
        }
    }

    @Test(
        "comes back as it was, from Muster and from Borg alone: names, holes, owners, modes, times, attributes, devices",
        arguments: BorgUnderTest.allCases)
    func roundTrip(version: BorgUnderTest) async throws {
        try await withTree(version, deep: true) { host, tree in
            try await tree.addDeepest()
            // More than four gibibytes for one of them: without these options Borg reads holes too, which takes it minutes.
            if version == .stable {
                host.job.repositoryLines += ["    chunker_params: fixed,4194304", "    extra_args: [--sparse]"]
                try await tree.shell(
                    "truncate -s 4300M huge; for n in 10 30 43; do dd if=/dev/urandom of=huge bs=1K count=341 seek=${n}00000 conv=notrunc status=none; done"
                )
            }
            let run = try await host.mustSucceed("run")
            #expect(run.contains("dump documents: "), "\(run)")
            let into = host.scratch.appending("x")
            // Verified as a whole on its way.
            try await host.mustSucceed("extract", "latest", "--into", into.string)
            let copy = into.appending("documents/tree")
            #expect(try await tree.differences(from: copy, leavingOut: "huge") == "")
            if version == .stable {
                let huge = try FileSystem.status(of: copy.appending("huge"))
                #expect(huge.bytes == 4300 << 20)
                #expect(huge.allocatedBytes < 64 << 20)
                #expect(try await tree.data(of: "huge") == tree.data(of: "\(copy)/huge"))
                return
            }
            try await host.mustSucceed("verify")
            // Times that Borg does not know are in the inventory.
            let plain = host.scratch.appending("p")
            try FileSystem.createDirectory(plain)
            let archive = try await host.newestArchive()
            let extracted = try await host.borg("extract", "--numeric-ids", "::\(archive)", in: plain)
            #expect(extracted.status == .exited(0), "\(extracted.errors)")
            let checked = try await host.command(
                "/bin/sh", "-c",
                """
                cd \(plain) && sha256sum --quiet -c checksums/*.sha256 && mtree -t -f documents/tree.mtree -p documents/tree >/dev/null
                mtree -f documents/tree.mtree -p documents/tree
                """)
            #expect(checked.status == .exited(0), "\(checked.output) \(checked.errors)")
            // To the microsecond.
            let left = try await tree.differences(from: plain.appending("documents/tree")).split(separator: "\n")
            #expect(left.map { $0.split(separator: " ").last } == ["plain/late", "plain/old"], "\(left)")
        }
    }

    @Test("is extracted in part: a directory, an empty one, a link; what is not in it is named with what is near")
    func parts() async throws {
        try await withTree { host, tree in
            try await host.mustSucceed("run")
            for (number, part) in ["plain/sub", "empty", "plain/link", "plain/file"].enumerated() {
                let into = host.scratch.appending("part-\(number)")
                try await host.mustSucceed("extract", "latest", "documents/tree/\(part)", "--into", into.string)
                let there = try FileTree(into).entries().map(\.path.string)
                let expected = try FileTree(tree.root).entries().map(\.path.string).filter { $0.hasPrefix(part) }
                #expect(
                    there.filter { $0.hasPrefix("documents/tree/\(part)") } == expected.map { "documents/tree/\($0)" })
            }
            let missing = try await host.muster(
                "extract", "latest", "documents/tree/plane", "--into", host.scratch.appending("none").string)
            #expect(missing.status != .exited(0))
            #expect(missing.errors.contains("holds no path"), "\(missing.errors)")
            let below = try await host.muster(
                "extract", "latest", "app/tree/letter/x", "--into", host.scratch.appending("none").string)
            #expect(below.status == .exited(64), "\(below.errors)")
            #expect(below.errors.contains("holds no path 'app/tree/letter/x'"), "\(below.errors)")
        }
    }

    @Test("that did not change is the same set: no file is new to Borg, and the space that is needed is what changed")
    func unchanged() async throws {
        try await withTree { host, tree in
            try await host.mustSucceed("run")
            let inodes = try tree.inodes(in: host.current)
            let again = try await host.muster("run", "--json")
            #expect(again.status == .exited(0) && !again.errors.contains("size_shrank"), "\(again.errors)")
            let report = again.output
            #expect(try tree.inodes(in: host.current) == inodes)
            #expect(
                try await host.value(
                    "d['archives'][0]['stored_bytes'] < 200000, d['set']['reused_files'] > 10", of: report)
                    == "(True, True)", "\(report)")
        }
    }

    @Test("is extracted where there is room for it: holes take none, and a file takes it once, whatever its names")
    func room() async throws {
        try await withTree { host, tree in
            try await tree.shell(
                "truncate -s 200M holes && head -c 10M /dev/urandom > large && for n in $(seq 9); do ln large name$n; done"
            )
            try await host.mustSucceed("run")
            let small = host.scratch.appending("small")
            try FileSystem.createDirectory(small)
            try await withMemoryFileSystem(kibibytes: 40 << 10, at: small) { [host] in
                try await host.mustSucceed("extract", "latest", "--into", small.appending("x").string)
                try await host.mustSucceed(
                    "extract", "latest", "documents/tree/holes", "--into", small.appending("part").string)
                let all = small.appending("x/documents/tree")
                #expect(try FileSystem.status(of: all.appending("name9")).links == 10)
            }
        }
    }

    @Test("in which two equal files were made one by somebody is found out by verify")
    func linked() async throws {
        try await withTree { host, tree in
            try await tree.shell("printf x > one && cp -a one two")
            try await host.mustSucceed("dump")
            try await host.mustSucceed("verify")
            let tree = host.current.appending("documents/tree")
            try await output("ln", "-f", tree.appending("one").string, tree.appending("two").string)
            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(5))
            let told = verified.output + verified.errors
            #expect(told.contains("two: is another name of a file that it should not be one of"), "\(told)")
        }
    }

    @Test(
        "that was touched in the published set is found out by verify, and by the next archive",
        arguments: [
            ("chmod 0604 plain/old", "plain/old: has mode 604 and not 644"),
            ("chown -h 5 plain/link", "plain/link: belongs to 5:0 and not 0:0"),
            ("ln -sfn elsewhere plain/link", "plain/link: "), ("mkdir plain/new", "plain/new: not in the manifest"),
            ("touch -d 2020-01-01 empty", "empty: was changed at "), ("rm plain/fifo", "plain/fifo: missing"),
            ("rm -d empty", "empty: missing"),
            ("setfattr -n user.comment -v other plain/file", "has another value of user.comment"),
            (
                "rm plain/zweitname && cp -a plain/file plain/zweitname",
                "plain/zweitname: is not another name of documents/tree/plain/file"
            ),
            ("mkfifo plain/pipe", "plain/pipe: not in the manifest"),
        ])
    func touched(change: String, problem: String) async throws {
        try await withTree { host, _ in
            try await host.mustSucceed("dump")
            let current = host.current
            let done = try await host.command("/bin/bash", "-euc", "cd \(current)/documents/tree && \(change)")
            #expect(done.status == .exited(0), "\(done.errors)")
            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(5))
            #expect((verified.output + verified.errors).contains(problem), "\(verified.output) \(verified.errors)")
            let archived = try await host.muster("archive")
            // Before Borg starts.
            #expect(archived.status == .exited(5), "\(archived.errors)")
            #expect(try await host.archiveNames().isEmpty)
        }
    }

    @Test("whose files vanish while it is copied is dumped without them, with a warning for each")
    func vanished() async throws {
        try await withTree(isAlone: true) { host, tree in
            let result = try await host.muster("dump", stoppedAt: "directory.walked") {
                try await tree.shell("rm plain/large plain/file plain/sub/drittname && rm -r plain/sub")
            }
            #expect(result.status == .exited(0), "\(result.errors)")
            for name in ["plain/large", "plain/file", "plain/sub/drittname"] {
                #expect(result.errors.contains("\(name) vanished before it was copied"), "\(result.errors)")
            }
            // The other name of a file that vanished under its first.
            #expect(try read(host.current.appending("documents/tree/plain/zweitname")) == "hello\n")
            try await host.mustSucceed("verify")
        }
    }

    @Test("of which a file is replaced under one of its names while it is copied has under the others what they name")
    func replacedUnderOneName() async throws {
        try await withTree(isAlone: true) { host, tree in
            let result = try await host.muster("dump", stoppedAt: "directory.walked") {
                try await tree.shell("printf 'other\\n' > new && mv new plain/file")
            }
            #expect(result.status == .exited(0), "\(result.errors)")
            let plain = host.current.appending("documents/tree/plain")
            #expect(try read(plain.appending("file")) == "other\n")
            #expect(try read(plain.appending("zweitname")) == "hello\n")
            #expect(
                try FileSystem.status(of: plain.appending("zweitname")).inode
                    == FileSystem.status(of: plain.appending("sub/drittname")).inode)
            try await host.mustSucceed("verify")
        }
    }

    @Test("may have the staging directory and the repository in it, which are left out, and must not lie in them")
    func ownPlaces() async throws {
        try await TestHost.withFiles { host in
            try write("dear", to: host.scratch.appending("letter"))
            let good = host.job.dumpLines
            host.job.dumpLines += [
                "  all:", "    provider: directory", "    path: \(host.scratch)", "    exclude: [/pg]",
            ]
            for _ in 1...2 {
                let run = try await host.muster("run")
                try #require(run.status == .exited(0), "\(run.errors)")
            }
            let told = try await host.muster("check")
            for place in ["staging", "repository"] {
                #expect(told.output.contains("\(place) is left out: it is a staging directory or a"), "\(told.output)")
            }
            let tree = host.current.appending("all/tree")
            #expect(try read(tree.appending("letter")) == "dear")
            let names = try FileSystem.names(in: tree).map(\.string)
            #expect(!names.contains("staging") && !names.contains("repository"), "\(names)")
            // By another way too.
            let other = host.scratch.appending("other")
            try FileSystem.createDirectory(other)
            let mounted = try await host.shell("mount --bind \(host.staging) \(other)")
            try #require(mounted.status == .exited(0), "\(mounted.errors)")
            let run = try await host.muster("run")
            try await unmount(other)
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(try !FileSystem.names(in: tree).map(\.string).contains("other"))
            // One by hand is made beside the directory that it is for.
            try await host.mustSucceed("dump", "--into", host.scratch.appending("by-hand").string)
            #expect(
                try FileSystem.names(in: host.scratch.appending("by-hand/all/tree")).allSatisfy {
                    !$0.string.hasPrefix(".by-hand")
                })

            host.job.dumpLines = good + ["  all:", "    provider: directory", "    path: \(host.current)/app"]
            let check = try await host.muster("check")
            #expect(check.status != .exited(0))
            #expect(check.output.contains("is in \(host.staging), where this job keeps"), "\(check.output)")
        }
    }

    @Test("with read-only files and directories that have attributes needs no right to write to what is read-only")
    func attributesOfReadOnly() async throws {
        try await TestHost.withFiles { host in
            let tree = host.scratch.appending("source")
            let made = try await host.shell(
                """
                cd \(tree) && echo 1 >file && mkdir closed && echo 2 >closed/file && setfattr -n user.a -v x file closed closed/file \
                    && chmod 444 file closed/file && chmod 555 closed
                """)
            try #require(made.status == .exited(0), "\(made.errors)")
            let weak = ["dac_override", "dac_read_search"].map { "-\($0)" }.joined(separator: ",")
            let dump = try await host.start(
                ["dump"], under: ["/usr/bin/setpriv", "--bounding-set=\(weak)", "--inh-caps=\(weak)"]
            ).result()
            try #require(dump.status == .exited(0), "\(dump.errors)")
            let copy = host.current.appending("app/tree")
            let kept = try await host.shell("cd \(copy) && getfattr --only-values -n user.a file closed closed/file")
            #expect(kept.output == "xxx", "\(kept.errors)")
            #expect(try FileSystem.status(of: copy.appending("closed")).mode & 0o777 == 0o555)
        }
    }

    @Test("that a unit of systemd hides, as a whole or in part, is not dumped as an empty one")
    func hidden() async throws {
        try await withTree { host, tree in
            for (number, place) in ["", "/plain"].enumerated() {
                let run = host.scratch.appending("run-\(number)")
                // As ProtectHome=yes does it: a directory of systemd's own, below /run, is mounted in front.
                let result = try await host.shell(
                    """
                    unshare --mount sh -ec 'mkdir \(run); mount -t tmpfs tmpfs \(run); mkdir -p \(run)/systemd/inaccessible/dir
                    mount --bind \(run)/systemd/inaccessible/dir \(tree.root)\(place); exec $MUSTER dump --config $JOB'
                    """)
                #expect(result.status == .exited(3), "\(result.errors)")
                #expect(
                    result.errors.contains(
                        "the unit that Muster runs in hides \(tree.root)\(place): it would be dumped as an empty directory"
                    ),
                    "\(result.errors)")
            }
        }
    }

    @Test("that vanishes as a whole, or does not fit, fails the job, and the published set stays as it is")
    func failed() async throws {
        try await withTree { host, tree in
            try await host.mustSucceed("dump")
            let before = try host.currentFingerprint()
            let aside = host.scratch.appending("aside")
            let result = try await host.muster("run", stoppedAt: "prepared") {
                try await tree.shell("mkdir \(aside) && mv * \(aside)/")
            }
            #expect(result.status == .exited(3), "\(result.errors)")
            #expect(result.errors.contains("\(tree.root) was emptied while it was copied"), "\(result.errors)")
            #expect(try host.currentFingerprint() == before)
            #expect(try await host.archiveNames().isEmpty)
        }
    }
}

extension TreeFixture {
    /// Of each file of the copy in a set.
    fileprivate func inodes(in set: FilePath) throws -> [String] {
        try FileTree(set.appending("documents/tree")).entries().filter { $0.status.kind == .file }
            .map { "\($0.path) \($0.status.inode)" }
    }
}
