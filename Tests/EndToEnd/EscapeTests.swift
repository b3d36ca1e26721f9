import Glibc
import Linux
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// What is added to a true archive, as Python's tarfile has it, to get out of the directory that it is extracted into.
enum HostileEntry: String, CaseIterable, CustomTestStringConvertible {
    case fileBelowLink, hardLinkThroughLink, hardLinkUp, linkInPlaceOfDirectory

    var testDescription: String { rawValue }

    var python: String {
        switch self {
        case .fileBelowLink: "link('app/d', victim); file('app/d/file')"
        case .hardLinkThroughLink: "link('app/d', victim); hard('app/h', 'app/d/file'); file('app/h')"
        case .hardLinkUp: "hard('app/h', '../victim/file'); file('app/h')"
        case .linkInPlaceOfDirectory: "directory('app/d'); link('app/d', victim); file('app/d/file')"
        }
    }
}

@Suite("Extracting from an archive that was made to do harm")
struct EscapeTests {
    @Test(
        "touches nothing outside, ends with 5, and names what should not be there", arguments: BorgUnderTest.allCases)
    func entry(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let comment = try await host.comment(of: host.newestArchive())
            let victim = try host.makeVictim()
            let before = try FileTree(victim).entries()
            for entry in HostileEntry.allCases {
                let name = try await host.hostileArchive(entry, comment)
                let target = host.scratch.appending("restored-\(entry)")
                let ended = try await host.muster("extract", name, "--into", target.string)
                #expect(ended.status == .exited(5), "\(entry): \(ended.errors)")
                #expect(ended.errors.contains("app/"), "\(entry): \(ended.errors)")
                #expect(try FileTree(victim).entries() == before, "\(entry)")
                #expect(try read(victim.appending("file")) == "original", "\(entry)")
                #expect(access(target.string, F_OK) != 0, "\(entry)")
                let kept = try FileSystem.status(of: FilePath("\(target).unverified"))
                #expect(kept.mode == 0o700 && kept.kind == .directory, "\(entry)")
                #expect(try host.hiddenNames().isEmpty, "\(entry)")
                // A part that is whole is not harmed by what is beside it.
                try await host.mustSucceed("extract", name, "app/databases/shop", "--into", "\(target)-part")
            }
        }
    }

    @Test("into a directory of another user, who exchanges it meanwhile, touches nothing of the host's")
    func exchangedParent() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let victim = try host.makeVictim()
            let home = host.scratch.appending("home")
            for path in [home, home.appending("own")] {
                try FileSystem.createDirectory(path, mode: 0o755)
                #expect(chown(path.string, 4711, 4711) == 0)
            }
            #expect(symlink(victim.string, home.appending("link").string) == 0)
            #expect(lchown(home.appending("link").string, 4711, 4711) == 0)
            let before = try FileTree(victim).entries()
            let isOver = Atomic(false)
            async let exchanges: Void = onOwnThread {
                while !isOver.load(ordering: .relaxed) {
                    try? FileSystem.exchange(home.appending("own"), home.appending("link"))
                    usleep(300)
                }
            }
            for number in 1...6 {
                _ = try await host.muster(
                    "extract", "latest", "app/tree/letter", "--into", "\(home)/own/restored\(number)")
            }
            isOver.store(true, ordering: .relaxed)
            await exchanges
            #expect(try FileTree(victim).entries() == before)
        }
    }

    @Test("on a kernel without openat2 is as safe, and gives the same")
    func oldKernel() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let target = host.scratch.appending("restored")
            let ended = try await host.shell(
                "strace -f -qq -e trace=openat2 -e inject=openat2:error=ENOSYS -o /dev/null $MUSTER extract latest --into \(target) --config $JOB"
            )
            #expect(ended.status == .exited(0), "\(ended.errors)")
            #expect(try host.contents(of: target) == host.contents(of: host.current))
        }
    }
}

extension TestHost {
    /// A directory that nothing may happen to.
    func makeVictim() throws -> FilePath {
        let victim = scratch.appending("victim")
        try FileSystem.createDirectory(victim)
        try write("original", to: victim.appending("file"))
        return victim
    }

    /// Has plain Borg import the current set and entries that no Borg would make, in the job's name. Returns the archive's name.
    func hostileArchive(_ entry: HostileEntry, _ comment: String) async throws -> String {
        let (name, tar) = ("hostile-\(entry)", scratch.appending("hostile-\(entry).tar").string)
        let program = """
            import io, sys, tarfile
            victim = sys.argv[1]
            t = tarfile.open(sys.argv[2], 'w')
            def add(name, **facts):
                i = tarfile.TarInfo(name)
                for key, value in facts.items(): setattr(i, key, value)
                return i
            def link(name, target): t.addfile(add(name, type=tarfile.SYMTYPE, linkname=target))
            def hard(name, target): t.addfile(add(name, type=tarfile.LNKTYPE, linkname=target))
            def directory(name): t.addfile(add(name, type=tarfile.DIRTYPE, mode=0o755))
            def file(name): t.addfile(add(name, size=8), io.BytesIO(b'attacker'))
            for name in ['manifest.json', 'checksums', 'app']: t.add(name)
            \(entry.python)
            t.close()
            """
        let made = try await command(
            "/bin/sh", "-c", "cd \"$0\" && exec python3 -c \"$@\"", current.string, program,
            arguments: [scratch.appending("victim").string, tar])
        guard made.status == .exited(0) else { throw HostError(description: made.errors) }
        let imported = try await borg("import-tar", "--comment", comment, "::\(name)", tar)
        guard imported.status == .exited(0) else { throw HostError(description: imported.errors) }
        return name
    }
}
