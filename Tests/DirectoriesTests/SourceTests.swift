import Conformance
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("A source")
struct SourceTests {
    @Test("that is empty, missing, a file, a link or not mounted is no dump")
    func unsuitable() async throws {
        try await TreeHost.with { host in
            let root = host.scratch
            try FileSystem.createDirectory(root.appending("empty"))
            try write("", to: root.appending("file"))
            #expect(symlink("source", root.appending("link").string) == 0)
            for (name, message) in [
                ("empty", "\(root)/empty is empty"), ("missing", "\(root)/missing does not exist"),
                ("file", "\(root)/file is not a directory"), ("link", "\(root)/link is a symbolic link"),
            ] {
                host.settings.path = root.appending(name)
                let error = try await host.failure("dump-\(name)")
                #expect(error?.message == message)
                #expect(error?.code == .sourceUnavailable)
            }
            host.settings.path = root.appending("source")
            host.settings.requiresMount = true
            let error = try await host.failure("dump-mount")
            #expect(error?.message.hasPrefix("\(root)/source is not a mount point: it is on ") == true)
            let disk = root.appending("empty")
            host.settings.path = disk
            try await withMemoryFileSystem(kibibytes: 256, at: disk) { [host] in
                try write("1", to: disk.appending("there"))
                #expect(try await host.dump("mounted").status("there").bytes == 1)
            }
        }
    }

    @Test("of which the job leaves nothing is no dump, and is not called empty: the message names the keys")
    func nothingLeft() async throws {
        try await TreeHost.with { host in
            let root = host.scratch.appending("few")
            host.settings.path = root
            try FileSystem.createDirectory(root)
            for name in ["a.tmp", "b.tmp", "c.log"] { try write("x", to: root.appending(name)) }
            host.settings.selection.exclude = ["*.tmp", "*.log"]
            let error = try #require(try await host.failure("first"))
            #expect(error.code == .settings)
            #expect(error.message == "nothing of \(root) is left to dump: all of its 3 entries are left out")
            #expect(
                error.hint
                    == "Look at exclude: of this dump: what matches '*.tmp' is left out; what matches '*.log' is left out."
            )
            for name in ["a.tmp", "b.tmp", "c.log"] { try FileSystem.removeFile(root.appending(name)) }
            try FileSystem.createDirectory(root.appending("d"))
            try write("", to: root.appending("d/.nobackup"))
            host.settings.selection.excludeIfPresent = [".nobackup"]
            let other = try #require(try await host.failure("second"))
            #expect(other.message == "nothing of \(root) is left to dump: its only entry is left out")
            #expect(other.hint == "Look at exclude_if_present: of this dump: d is left out: it holds .nobackup.")
        }
    }

    @Test("with a pattern that matches nothing says so, and what was meant by one that begins with its path")
    func unmatched() async throws {
        try await TreeHost.with { host in
            try await host.source.shell("mkdir -p cache kept && touch cache/x a.tmp keep.tmp")
            let root = host.source.root
            host.settings.selection.exclude = [
                "\(root)/cache/", "*.tmp", "a.*", "!keep.tmp", "!/kept/x", "nothing-like-this", "/cache/*",
                "!/cache/x/y",
            ]
            let findings = try await host.dump().summary.findings
            #expect(findings.isEmpty, "prepare says it")
            var run = TestRun(deadline: nil)
            run.context.shortcuts.previous = nil
            let prepared = try await DirectoryProvider(settings: host.settings, round: host.round).prepare(
                in: run.context)
            let found = prepared.findings.filter { $0.code == "pattern_unmatched" }
            #expect(
                found.map(\.object) == ["\(root)/cache/", "!/kept/x", "nothing-like-this", "!/cache/x/y"], "\(found)")
            #expect(found.map(\.severity) == [.warning, .note, .note, .warning])
            #expect(
                found[3].message
                    == "pattern '!/cache/x/y' of exclude: takes nothing back: '/cache/*' leaves out a directory that it leads through"
            )
            #expect(found[0].message == "pattern '\(root)/cache/' of exclude: matches nothing in \(root)")
            #expect(found[0].hint == "Patterns begin at path:. Write '/cache/'.")
            await prepared.close()
        }
    }

    @Test("whose file system does not tell how long its files are is no dump: they would be empty")
    func sizeUnknown() async throws {
        try await TreeHost.with { host in
            host.settings.path = "/proc/sys/kernel/random"
            let error = try await host.failure("dump")
            #expect(error?.code == .fileSizeUnknown)
            #expect(
                error?.message.hasSuffix("holds more bytes than its file system says, or fewer") == true,
                "\(error as Any)")
        }
    }

    @Test("that goes deeper than Borg can is found in prepare, and named")
    func tooDeep() async throws {
        try await TreeHost.with { host in
            try await host.source.shell("for n in $(seq 801); do mkdir d && cd d || exit 1; done")
            let error = try await host.failure("dump")
            #expect(error?.code == .pathTooLong)
            #expect(
                error?.message
                    == "a path below \(host.source.root) leads through more than 800 directories, which Borg cannot archive"
            )
        }
    }

    @Test("tells of as many directories that are left out as somebody would read")
    func manyOmissions() {
        var list = OmissionList()
        for number in 1...150 {
            list.add(Finding(.note, "excluded_by_marker", object: "d\(number)", "d\(number) is left out"))
            list.add(Finding(.note, "excluded", object: "*.tmp", "what matches '*.tmp' is left out"))
        }
        let findings = list.findings(of: "/srv")
        #expect(findings.count == 102)
        #expect(
            findings.last
                == Finding(
                    .note, "excluded_by_marker", object: "/srv", "50 more directories are left out for the same reason")
        )
    }

    @Test("loses what its patterns, markers and caches say, and each of them is told")
    func omissions() async throws {
        try await TreeHost.with { host in
            try await host.source.shell(
                """
                mkdir -p cache kept hidden && printf 'Signature: 8a477f597d28d172789f06886806bc55' > cache/CACHEDIR.TAG
                printf 'no signature' > kept/CACHEDIR.TAG && touch hidden/.nobackup hidden/x a.tmp kept/b.tmp keep.tmp cache/y
                """)
            host.settings.selection.exclude = ["*.tmp", "!keep.tmp", "/plain/", "/nothing-like-this"]
            host.settings.selection.excludesCaches = true
            host.settings.selection.excludeIfPresent = [".nobackup"]
            let dump = try await host.dump()
            let there = try FileTree(dump.tree).entries().map(\.path.string)
            #expect(there == ["empty", "keep.tmp", "kept", "kept/CACHEDIR.TAG"])
            #expect(
                dump.codes() == [
                    "excluded *.tmp", "excluded /plain/", "excluded_by_marker hidden", "excluded_cache cache",
                ])
        }
    }

    @Test("is read by way of the directories that were found, and of no other that came to their places or beside them")
    func otherDirectories() async throws {
        try await withScratch { scratch in
            for name in ["a", "b"] as [FilePath.Component] {
                try FileSystem.createDirectory(scratch.appending(name))
                try write("\(name)", to: scratch.appending(name).appending("file"))
            }
            let source = try OpenDirectory(scratch)
            source.expect("a", try source.status(of: "a"))
            #expect(try source.names(in: "a") == ["file"])
            try source.openFile("a/file").close()
            #expect(throws: Errno.noSuchFileOrDirectory) { try source.names(in: "b") }
            #expect(throws: Errno.noSuchFileOrDirectory) { try source.openFile("b/file") }
            try FileSystem.rename(scratch.appending("a"), to: scratch.appending("c"))
            try FileSystem.rename(scratch.appending("b"), to: scratch.appending("a"))
            #expect(throws: Errno.noSuchFileOrDirectory) { try source.names(in: "a") }
            #expect(throws: Errno.noSuchFileOrDirectory) { try source.openFile("a/file") }
        }
    }

    @Test("whose disk is unmounted before it is copied is no dump, whatever lay hidden below it")
    func unmounted() async throws {
        try await TreeHost.with { host in
            let disk = host.source.root
            try await output("mount", "-t", "tmpfs", "muster-test", disk.string)
            try write("1", to: disk.appending("there"))
            host.settings.requiresMount = true
            let error = try await host.failure { try await unmount(disk) }
            #expect(error?.message == "\(disk) is no longer the directory that it was when the run began")
            #expect(error?.code == .sourceUnavailable)
        }
    }

    @Test("with another user's mount in it, into which not even root may look, is dumped where that is left out")
    func forbidden() async throws {
        try await TreeHost.with { host in
            let point = host.source.root.appending("private")
            try FileSystem.createDirectory(point)
            let mount = """
                import ctypes, os, sys
                file = os.open("/dev/fuse", os.O_RDWR)
                options = f"fd={file},rootmode=40000,user_id=1234,group_id=1234".encode()
                if ctypes.CDLL(None, use_errno=True).mount(b"other", sys.argv[1].encode(), b"fuse", 0, options): sys.exit(os.strerror(ctypes.get_errno()))
                """
            try await withCleanup { [host] cleanup in
                try await output("/usr/bin/python3", "-c", mount, point.string)
                cleanup.append { try await unmount(point) }
                let error = try await host.failure("refused")
                #expect(error?.message == "cannot read \(point): Permission denied")
                var own = host
                own.settings.selection.isOneFileSystem = true
                #expect(try await own.dump("own").codes() == ["other_file_system private"])
                own = host
                own.settings.selection.exclude = ["/private/"]
                #expect(try await own.dump("other").codes() == ["excluded /private/"])
            }
        }
    }

    @Test("with a file that a file server has leased is dumped once that one has let it go")
    func leased() async throws {
        try await TreeHost.with { host in
            let serve = """
                import fcntl, os, signal, sys, time
                file = os.open(sys.argv[1], os.O_RDWR)
                def let_go(*_):
                    time.sleep(0.3)
                    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
                    sys.exit()
                signal.signal(signal.SIGIO, let_go)
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                os.close(os.open(sys.argv[2], os.O_CREAT))
                while True: time.sleep(1)
                """
            let isServing = host.scratch.appending("is-serving")
            let (large, ready) = (host.source.root.appending("plain/large").string, isServing.string)
            let server = Task { try await run("/usr/bin/python3", "-c", serve, large, ready) }
            try await eventually { access(isServing.string, F_OK) == 0 }
            let dump = try await host.dump()
            try await server.value
            #expect(try await host.source.differences(from: dump.tree) == "")
        }
    }

    @Test("with a time that no number of nanoseconds can hold is dumped with the nearest one, and a warning")
    func outOfTime() async throws {
        try await TreeHost.withBtrfs { host in
            try await host.source.shell("touch -d 2300-01-01 plain/large && touch -d 1600-01-01 empty")
            let first = try await host.dump()
            #expect(first.codes() == ["time_out_of_range empty", "time_out_of_range plain/large"])
            #expect(try first.status("plain/large").modified == FileStatus.times.upperBound)
            #expect(try first.status("empty").modified == FileStatus.times.lowerBound)
            let second = try await host.dump("second", after: first)
            #expect(try second.status("plain/large").inode == first.status("plain/large").inode)
        }
    }

    @Test("whose times the staging area cannot keep is no dump: a restore would lack them")
    func coarseTimes() async throws {
        try await TreeHost.with { host in
            try await withExt4FileSystem(in: host.scratch, size: "16M", "-I", "128") { [host] point in
                let error = try await host.failure("ext4/dump")
                #expect(error?.code.rawValue == "cannot_preserve", "\(error.map { "\($0)" } ?? "")")
                #expect(
                    error?.message.hasPrefix("the file system of the staging area cannot keep the time of ") == true)
                // From the same kind of file system nothing is lost.
                var own = host
                let source = point.appending("source")
                try FileSystem.createDirectory(source)
                try write("1", to: source.appending("there"))
                own.settings.path = source
                let first = try await own.dump("ext4/first")
                let there = try FileSystem.status(of: source.appending("there"))
                #expect(try first.status("there").modified == there.modified)
                #expect(try #require(try first.entry("there")).source != nil)
                #expect(FileCopy.now - there.changed >= FileCopy.coarseTick)
            }
        }
    }

    @Test("on several file systems is dumped with all of them, unless it is told to keep to its own")
    func otherFileSystem() async throws {
        try await TreeHost.with { host in
            let mountPoint = host.source.root.appending("mounted")
            try FileSystem.createDirectory(mountPoint)
            try await withMemoryFileSystem(kibibytes: 256, at: mountPoint) { [host] in
                try write("1", to: mountPoint.appending("there"))
                let all = try await host.dump("all")
                #expect(try all.status("mounted/there").bytes == 1)
                var own = host
                own.settings.selection.isOneFileSystem = true
                let dump = try await own.dump("own")
                #expect(throws: Errno.noSuchFileOrDirectory) { try dump.status("mounted/there") }
                #expect(dump.codes() == ["other_file_system mounted"])
            }
        }
    }

    @Test(
        "with a file that somebody writes to all the time is no dump, and the file is named", arguments: [false, true])
    func changing(isMapped: Bool) async throws {
        try await TreeHost.with { host in
            try await host.whileRewriting("busy", isMapped: isMapped) { [host] in
                let error = try await host.failure()
                #expect(error?.code.rawValue == "file_changed")
                let message = "\(host.source.root)/busy changed each of 5 times that it was copied"
                #expect(error?.message == message)
                #expect(error?.hint?.contains("changed_files: warn") == true)
            }
        }
    }

    @Test("with such a file is a dump with a warning where the job says so, and the next dump does not trust that copy")
    func changingAllowed() async throws {
        try await TreeHost.with { host in
            host.settings.changedFiles = .warn
            let first = try await host.whileRewriting("busy") { [host] in
                let dump = try await host.dump()
                #expect(dump.codes() == ["file_changed busy"])
                #expect(dump.summary.findings.allSatisfy { $0.severity == .warning })
                return dump
            }
            let second = try await host.dump("second", after: first)
            #expect(second.codes() == [])
            #expect(try await host.source.differences(from: second.tree) == "")
        }
    }

    @Test("with such a file says of its copy what is in it, whatever the file was meanwhile", arguments: [false, true])
    func torn(isCloned: Bool) async throws {
        let dumpTorn: (inout TreeHost) async throws -> Void = { host in
            host.settings.changedFiles = .warn
            let dump = try await host.whileRewriting("busy") { [host] in try await host.dump() }
            #expect(dump.codes() == ["file_changed busy"])
            let entry = try #require(try dump.entry("busy"))
            let copy = dump.tree.appending("busy")
            #expect(try await output("sha256sum", copy.string).prefix(64) == "\(try #require(entry.sha256))")
            #expect(try dump.status("busy").bytes == entry.bytes)
        }
        if isCloned { try await TreeHost.withBtrfs(dumpTorn) } else { try await TreeHost.with(dumpTorn) }
    }
}
