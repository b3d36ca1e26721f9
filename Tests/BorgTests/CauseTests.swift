import DumpCore
import Glibc
import Linux
import Processes
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

/// What the operating system does to Borg, or a crash to its files, without Borg having a word for it.
enum Trouble: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case cacheDiskFull, cacheCut, cacheConfigurationEmpty, cacheConfigurationGarbage
    case ownFilesReadOnly, repositoryReadOnly, repositoryDataGone, repositoryDiskFull

    var testDescription: String { rawValue }

    func strike(_ host: Host) async throws {
        let base = host.borg.scratch.appending("borg-base")
        switch self {
        case .cacheDiskFull, .repositoryDiskFull: try await fill(self == .cacheDiskFull ? base : host.borg.repository)
        case .cacheCut: #expect(truncate(try cache(base).appending("chunks").string, 100) == 0)
        case .cacheConfigurationEmpty: try write("", to: cache(base).appending("config"))
        case .cacheConfigurationGarbage: try write("garbage", to: cache(base).appending("config"))
        case .ownFilesReadOnly: try await output("mount", "-o", "remount,ro", base.string)
        case .repositoryReadOnly: try await output("mount", "-o", "remount,ro", host.borg.repository.string)
        case .repositoryDataGone: try FileTree(host.borg.repository.appending("data")).remove()
        }
    }

    private func cache(_ base: FilePath) throws -> FilePath {
        let caches = base.appending(".cache/borg")
        let names = try FileSystem.names(in: caches).filter { $0.string.count == 64 }
        return caches.appending(try #require(names.first))
    }

    /// Whatever is free, to the last block.
    private func fill(_ directory: FilePath) async throws {
        _ = try await runProgram("dd", ["if=/dev/zero", "of=\(directory)/fill", "bs=4k"])
    }

    func expected(_ host: Host) -> (code: BorgError.Code, message: String, hint: String) {
        let base = host.borg.scratch.appending("borg-base")
        switch self {
        case .cacheDiskFull:
            return (
                .noSpace, "the disk with Borg's own files on this host is full",
                "Make space where \(base)/.cache/borg is, or set BORG_CACHE_DIR to a directory on a larger disk. "
                    + "Nothing needs to go from the repository."
            )
        case .cacheCut, .cacheConfigurationEmpty, .cacheConfigurationGarbage:
            return (
                .cacheDamaged, "Borg's cache of repository 'offsite' on this host is damaged",
                "Delete the cache: muster borg offsite -- delete --cache-only. Borg makes it again; the repository stays as it is."
            )
        case .ownFilesReadOnly:
            return (
                .accessDenied, "Borg's own files on this host are on a read-only file system",
                "Let Borg write to PATH, or set BORG_BASE_DIR to a directory where it may."
            )
        case .repositoryReadOnly:
            return (
                .accessDenied, "the file system of repository 'offsite' is read-only",
                "Mount it for writing. Linux makes a disk with errors read-only: see dmesg."
            )
        case .repositoryDataGone:
            return (
                .damaged, "a part of repository 'offsite' is missing",
                "Is its whole disk there? Restore the missing files, and change nothing else in it."
            )
        case .repositoryDiskFull:
            return (
                .noSpace, "the disk of repository 'offsite' is full",
                "Make room: remove other files there, or enlarge it. Once Borg has a little, delete archives that you do not need "
                    + "and compacted away."
            )
        }
    }
}

@Suite("What keeps Borg from its work")
struct CauseTests {
    /// A host whose repository and whose own files of Borg are each on a disk of its own. An archive was made.
    private func withDisks(_ version: BorgUnderTest, _ body: (Host) async throws -> Void) async throws {
        try await Host.with(version) { host in
            let base = host.borg.scratch.appending("borg-base")
            for directory in [base, host.borg.repository] { try FileSystem.createDirectory(directory) }
            try await withMemoryFileSystem(kibibytes: 2 << 10, at: base) {
                try await withMemoryFileSystem(kibibytes: 4 << 10, at: host.borg.repository) {
                    try await host.borg.borg(["init", "--encryption", "repokey-blake2"])
                    try await host.borg.borg(["create", "::foreign", "/etc/hostname"])
                    try await body(host)
                }
            }
        }
    }

    @Test(
        "is told by whose files it concerns, with what to do about it", arguments: Trouble.allCases,
        BorgUnderTest.allCases)
    func told(trouble: Trouble, version: BorgUnderTest) async throws {
        try await withDisks(version) { host in
            let set = try host.seal()
            try await trouble.strike(host)
            let error = try #require(
                try await borgError { _ = try await host.repository().create(set, at: Host.time) })
            let expected = trouble.expected(host)
            #expect(error.code == expected.code, "\(error)")
            #expect(error.message == expected.message, "\(error)")
            let hint = error.hint?.replacing(/Let Borg write to [^ ]+,/, with: "Let Borg write to PATH,")
            #expect(hint == expected.hint, "\(error)")
            #expect(error.context["borg"]?.contains("File \"") != true, "no traceback: \(error)")
        }
    }

    @Test("A cache that was deleted as the hint says is made again", arguments: BorgUnderTest.allCases)
    func cacheAgain(version: BorgUnderTest) async throws {
        try await withDisks(version) { host in
            let set = try host.seal()
            try await Trouble.cacheCut.strike(host)
            try await host.borg.borg(["delete", "--cache-only"])
            _ = try await host.repository().create(set, at: Host.time)
        }
    }

    @Test(
        "A quota that is used up is told as one, before a set is archived and while it is",
        arguments: BorgUnderTest.allCases)
    func quota(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            try await BtrfsVolume.with(in: host.borg.scratch, size: "400M") { volume in
                try await output("btrfs", "quota", "enable", volume.root.string)
                try await output("btrfs", "qgroup", "limit", "8M", volume.data.string)
                let repository = host.repository {
                    $0.location = volume.data.appending("repository").string
                    $0.initialize = .repokeyBlake2
                    $0.creation.compression = "none"
                }
                _ = try await repository.initializeIfMissing()
                let set = try host.seal(["app/big": Host.noise(bytes: 12 << 20)])
                for _ in 1...2 {
                    let error = try #require(
                        try await borgError { _ = try await repository.create(set, at: Host.time) })
                    #expect(error.code == .noSpace, "\(error)")
                    #expect(error.message == "the disk quota of repository 'offsite' is used up", "\(error)")
                }
            }
        }
    }

    @Test("An archive that a Borg before 1.2.5 renamed is not called damage, and no repair is asked for")
    func renamedByOldBorg() async throws {
        try await Host.withRepository(.oldstable) { host in
            _ = try host.seal()
            try await host.borg.borg(["rename", "::foreign", "web1-nightly-2026-01-01T00:00:00Z"])
            let newer = host.repository(program: BorgUnderTest.stable.program)
            let text = """
                an archive in repository 'offsite' is not authenticated as Borg 1.2.5 and newer want it (CVE-2023-36811)
                  location: \(host.borg.repository)
                  borg: Data integrity error: Archive authentication did not verify
                  hint: A Borg before 1.2.5 renamed, recreated or made it. Never repair the repository for that: Borg would delete \
                the archive. If every archive in it is yours and all hosts have a newer Borg, run: \
                muster borg offsite -- upgrade --archives-tam
                """
            let error = try await borgError { _ = try await newer.archives() }
            #expect(error?.description == text)
            #expect(error?.code == .notAuthentic)
        }
    }

    @Test("A Borg that lost a part of Python is told as one that does not start", arguments: BorgUnderTest.allCases)
    func lostModule(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            // A Borg that was known to work, and Python without one of its modules since.
            let fake = try host.borg.fakeBorg(
                #"[ "$VERB" = --version ] || exec /usr/bin/python3 -c 'import no_such_module'"#)
            let error = try await borgError { _ = try await host.repository(program: fake).prepare() }
            #expect(
                error?.description == """
                    Borg does not start: a part of it or of Python is missing
                      location: \(host.borg.repository)
                      borg: ModuleNotFoundError: No module named 'no_such_module'
                      hint: Install Borg again. One that came with pip stops working when Python is upgraded.
                    """)
            #expect(error?.code == .programUnsuitable)
        }
    }

    @Test("So is one whose Python is gone, when it is asked for its version")
    func lostPython() async throws {
        try await Host.with(.oldstable) { host in
            func said(_ text: String) async throws -> String? {
                let borg = host.borg.scratch.appending("venv-borg")
                try write(text, to: borg, mode: [.ownerReadWriteExecute])
                return try await borgError { _ = try await host.repository(program: borg).prepare() }?
                    .description.replacing(borg.string, with: "BORG")
            }
            let hint = "Install Borg again. One that came with pip stops working when Python is upgraded."
            let python = try await said("#!/nonexistent/bin/python\n")
            #expect(
                python == """
                    BORG does not start: its Python is gone
                      hint: \(hint)
                    """)
            let module = try await said("#!/usr/bin/python3\nimport no_such_module\n")
            #expect(
                module == """
                    BORG does not start: a part of it or of Python is missing
                      borg: ModuleNotFoundError: No module named 'no_such_module'
                      hint: \(hint)
                    """)
        }
    }

    @Test("borg check does not call it damage either that old archives lack a signature")
    func checkOfOldArchives() async throws {
        try await Host.withRepository(.oldstable) { host in
            try await host.borg.borg(["rename", "::foreign", "old"])
            let newer = host.repository(program: BorgUnderTest.stable.program)
            let error = try await borgError { try await newer.check(.full) }
            #expect(error?.code == .notAuthentic, "\(error?.description ?? "no error")")
            #expect(error?.hint?.contains("muster borg offsite -- upgrade --archives-tam") == true)
        }
    }
}
