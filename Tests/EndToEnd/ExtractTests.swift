import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Extracting from an archive")
struct ExtractTests {
    @Test("gives the set back, or a dump of it, or a database, each verified", arguments: BorgUnderTest.allCases)
    func parts(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let set = host.scratch.appending("set")
            let told = try await host.mustSucceed("extract", "latest", "--into", set.string)
            #expect(told.contains(", all as sealed, in \(set)\n"), "\(told)")
            try await host.mustSucceed("verify", "--set", set.string)
            #expect(try host.contents(of: set) == host.contents(of: host.current))

            let name = try await host.newestArchive()
            let empty = host.scratch.appending("empty")
            try FileSystem.createDirectory(empty)
            for (part, target) in [("app", empty), ("app/databases/shop/", host.scratch.appending("one"))] {
                let document = try await host.mustSucceed("extract", name, part, "--into", target.string, "--json")
                let expected = try host.contents(of: host.current).filter { $0.key.hasPrefix(part) }
                #expect(try host.contents(of: target) == expected)
                #expect(
                    try await host.value("d['files'], d['standing']", of: document)
                        == "(\(expected.count), 'confirmed')")
            }
            let listed = try await host.command(
                PostgreSQLServer.binDirectory.appending("pg_restore"), "--list",
                host.scratch.appending("one/app/databases/shop").string)
            #expect(
                listed.status == .exited(0) && listed.output.contains("TABLE DATA public orders"), "\(listed.errors)")
            let file = host.scratch.appending("file")
            try await host.mustSucceed("extract", name, "app/globals.sql", "--into", file.string)
            #expect(try host.contents(of: file).keys.sorted() == ["app/globals.sql"])
            #expect(try host.hiddenNames().isEmpty)
        }
    }

    @Test("works with Borg 2, a beta, and so do the list, the difference, and any command of Borg's")
    func secondBorg() async throws {
        try await TestHost.with(.beta, hasRepository: false) { host in
            host.job.initialize = "repokey-aes256-ocb"
            try await host.mustSucceed("run")
            let (all, part) = (host.scratch.appending("all"), host.scratch.appending("part"))
            try await host.mustSucceed("extract", "latest", "--into", all.string)
            #expect(try host.contents(of: all) == host.contents(of: host.current))
            try await host.mustSucceed("extract", "latest", "app/databases/shop", "--into", part.string)
            #expect(
                try host.contents(of: part)
                    == host.contents(of: host.current).filter { $0.key.hasPrefix("app/databases/shop/") })
            #expect(try await host.mustSucceed("list").contains("confirmed"))
            #expect(try await host.mustSucceed("info", "latest").contains("standing    confirmed"))
            #expect(try await host.mustSucceed("diff", "latest", "latest").contains("dump app: same"))
            let listed = try await host.shell("$MUSTER borg --config $JOB -- repo-list --format '{archive}{NL}'")
            #expect(listed.status == .exited(0) && listed.output.contains("nightly"), "\(listed.errors)")
        }
    }

    @Test("needs nothing that this host remembers")
    func otherHost() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            let contents = try host.contents(of: host.current)
            try FileTree(host.staging).remove()
            try FileTree(host.scratch.appending("borg-home")).remove()
            let target = host.scratch.appending("restored")
            try await host.mustSucceed("extract", name, "--into", target.string)
            #expect(try host.contents(of: target) == contents)
            #expect(access(host.staging.string, F_OK) != 0, "nothing is made where the staging directory was")
        }
    }

    @Test("is refused where something is, into the current directory, a link and a mounted disk, and touches nothing")
    func occupied() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let (occupied, link) = (host.scratch.appending("occupied"), host.scratch.appending("link"))
            try FileSystem.createDirectory(occupied)
            try write("mine", to: occupied.appending("file"))
            #expect(symlink("occupied", link.string) == 0)
            let before = try host.fingerprint(of: occupied)
            for (target, why) in [
                (occupied, "there is something in \(occupied) already"),
                (link, "cannot use \(link): it is not a directory"),
                ("/proc", "cannot use /proc: a file system is mounted there"),
                ("/nowhere/at/all", "cannot use /nowhere/at: No such file or directory"),
            ] as [(FilePath, String)] {
                let refused = try await host.muster("extract", "latest", "--into", target.string)
                #expect(refused.status == .exited(64), "\(refused.errors)")
                #expect(refused.errors.hasPrefix("muster: \(why)\n"), "\(refused.errors)")
            }
            let empty = host.scratch.appending("empty")
            try FileSystem.createDirectory(empty)
            let here = try await host.shell("cd \(empty) && $MUSTER extract latest --into . --config $JOB")
            #expect(here.status == .exited(64))
            #expect(here.errors.contains("extract does not work in the current directory"), "\(here.errors)")
            #expect(try host.fingerprint(of: occupied) == before)
            #expect(try FileSystem.names(in: empty).isEmpty && host.hiddenNames().isEmpty)
        }
    }

    private static let typos = [
        ("ap", "holds no dump 'ap'", "Is it 'app'? Its dumps are: app."),
        (
            "app/databases/shpo", "holds no path 'app/databases/shpo'",
            "Is it 'app/databases/shop'? In app/databases/ there are: library, shop"
        ),
        ("app/shop/toc.dat", "holds no path 'app/shop/toc.dat'", "In app/ there are: databases, globals.sql"),
        ("app/../app", "holds no path 'app/../app'", "Write it without '.' and '..'."),
        ("manifest.json", "holds no dump 'manifest.json'", "Its dumps are: app."),
    ]

    @Test("of what is not in the archive names what is, and writes nothing")
    func typo() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let target = host.scratch.appending("restored")
            for (part, message, hint) in Self.typos {
                let refused = try await host.muster("extract", "latest", part, "--into", target.string)
                #expect(refused.status == .exited(64), "\(refused.errors)")
                #expect(refused.errors.contains(message) && refused.errors.contains(hint), "\(refused.errors)")
                #expect(access(target.string, F_OK) != 0)
                #expect(try host.hiddenNames().isEmpty)
            }
        }
    }

    @Test("without room for it is refused before anything is written")
    func noSpace() async throws {
        try await TestHost.withFiles { host in
            try write(String(repeating: "dear\n", count: 20_000), to: host.letter)
            try await host.mustSucceed("run")
            let small = host.scratch.appending("small")
            try FileSystem.createDirectory(small)
            let mounted = try await host.command("/bin/mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", small.string)
            try #require(mounted.status == .exited(0), "\(mounted.errors)")
            let refused = try await host.muster("extract", "latest", "--into", small.appending("restored").string)
            let there = try FileSystem.names(in: small)
            #expect(try await host.command("/bin/umount", small.string).status == .exited(0))
            #expect(refused.status == .exited(1))
            #expect(refused.errors.contains("no space in \(small): "), "\(refused.errors)")
            #expect(there.isEmpty)
        }
    }

    @Test("that is interrupted leaves nothing", arguments: [SIGTERM, SIGINT])
    func interrupted(signal: Int32) async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let marker = host.scratch.appending("extracting")
            try host.fake(
                "borg",
                """
                case "$*" in *--progress*) touch half \(marker); exec sleep 1000 ;; esac
                exec $BORG "$@"
                """)
            let target = host.scratch.appending("restored")
            let extract = try host.start(["extract", "latest", "--into", target.string])
            try await eventually { access(marker.string, F_OK) == 0 }
            #expect(try host.hiddenNames().count == 1)
            extract.send(signal)
            #expect(try await extract.result().status == .exited(128 + signal))
            #expect(try host.hiddenNames().isEmpty)
            #expect(access(target.string, F_OK) != 0)
            #expect(access("\(target).unverified", F_OK) != 0)
        }
    }

    @Test("that is killed leaves what no other user enters, and what muster status names for as long as it is there")
    func killed() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let marker = host.scratch.appending("extracting")
            try host.fake(
                "borg",
                """
                case "$*" in *--progress*) touch \(marker); exec sleep 1000 ;; esac
                exec $BORG "$@"
                """)
            let target = host.scratch.appending("restored")
            let extract = try host.start(["extract", "latest", "--into", target.string])
            try await eventually { access(marker.string, F_OK) == 0 }
            #expect(!(try await host.mustSucceed("status").contains("which was killed")), "it runs")
            extract.send(SIGKILL)
            _ = try await extract.result()
            let left = host.scratch.appending(try #require(try host.hiddenNames().first))
            #expect(try FileSystem.status(of: left).mode == 0o700)
            let status = try await host.mustSucceed("status")
            #expect(
                status.contains("left by muster extract of ")
                    && status.contains(", which was killed: \(left) (remove it)"),
                "\(status)")
            try FileTree(left).remove()
            #expect(!(try await host.mustSucceed("status").contains("which was killed")))
        }
    }

    @Test("that Borg breaks off keeps what there is, under a name that says what it is")
    func brokenOff() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            try host.fake(
                "borg",
                """
                case "$*" in *--progress*) $BORG "$@"; exit 2 ;; esac
                exec $BORG "$@"
                """)
            let target = host.scratch.appending("restored")
            for kept in ["restored.unverified", "restored.unverified-2"] {
                let failed = try await host.muster("extract", "latest", "--into", target.string)
                #expect(failed.status == .exited(4), "\(failed.errors)")
                #expect(
                    failed.errors.contains("kept: \(host.scratch)/\(kept), which is NOT VERIFIED"), "\(failed.errors)")
                #expect(try host.contents(of: host.scratch.appending(kept)) == host.contents(of: host.current))
                #expect(access(target.string, F_OK) != 0)
            }
            #expect(try host.hiddenNames().isEmpty)
        }
    }
}

extension TestHost {
    /// The text of every file below a directory, by path relative to it.
    func contents(of root: FilePath) throws -> [String: String] {
        var contents: [String: String] = [:]
        for entry in try FileTree(root).entries() where entry.status.kind == .file {
            contents[entry.path.string] = try read(root.pushing(entry.path))
        }
        return contents
    }

    /// What an extraction has left where it was at work.
    func hiddenNames() throws -> [String] {
        try FileSystem.names(in: scratch).map(\.string).filter { $0.contains(".extracting-") }
    }
}
