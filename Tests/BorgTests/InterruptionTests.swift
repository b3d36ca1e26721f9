import Borg
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Interruptions")
struct InterruptionTests {
    @Test(
        "A create that is cancelled leaves no archive, no checkpoint and no lock, and the next one succeeds",
        arguments: BorgUnderTest.allCases)
    func cancelledCreate(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let endless = try host.sealEndless()
            let progress = Recorded<ArchiveProgress>()
            let repository = host.repository()
            let task = Task { try await repository.create(endless, at: Host.time) { progress.append($0) } }
            try await eventually { progress.all.contains { $0.bytes > 0 } }
            task.cancel()
            let error = try await borgError { _ = try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.untrustedArchive == nil)
            #expect(host.lockIsFree)
            #expect(try await host.archives() == ["foreign"])

            try FileSystem.removeFile(host.current.pushing("app/endless"))
            _ = try await repository.create(try host.seal(), at: Host.time)
        }
    }

    @Test("An archive whose confirmation is cancelled is deleted", arguments: BorgUnderTest.allCases)
    func cancelledConfirmation(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let reached = host.borg.scratch.appending("reached")
            let fake = try host.borg.fakeBorg("if [ $VERB = extract ]; then touch \(reached); exec sleep 1000; fi")
            let repository = host.repository(program: fake)
            let task = Task { try await repository.create(set, at: Host.time) }
            try await eventually { access(reached.string, F_OK) == 0 }
            #expect(try await host.archives() == ["foreign", Host.archiveName])
            task.cancel()
            let error = try await borgError { _ = try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.context["archive"] == "\(Host.archiveName) (deleted)")
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test(
        "A Borg that is killed half-way leaves no archive, and the next create gets past its lock",
        arguments: BorgUnderTest.allCases)
    func killed(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let endless = try host.sealEndless()
            let fake = try host.borg.fakeBorg(
                """
                if [ $VERB = create ]; then
                    exec 2> >(while read -r line; do
                        echo "$line"
                        [[ $line != *archive_progress* ]] || kill -9 $$
                    done >&2)
                fi
                """)
            let error = try await borgError {
                _ = try await host.repository(program: fake).create(endless, at: Host.time)
            }
            #expect(error?.code == .killed)
            #expect(error?.message == "borg create on repository 'offsite' was ended by signal 9 (SIGKILL)")
            #expect(error?.context["archive"] == "\(Host.archiveName) (not there)")

            try FileSystem.removeFile(host.current.pushing("app/endless"))
            _ = try await host.repository().create(try host.seal(), at: Host.time)
            #expect(try await host.archives() == ["foreign", Host.archiveName])
        }
    }

    @Test(
        "A held lock ends the wait with an error that says who has it, and the archive is not looked for",
        arguments: BorgUnderTest.allCases)
    func locked(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let verbs = host.borg.scratch.appending("verbs")
            let fake = try host.borg.fakeBorg("echo $VERB >> \(verbs)")
            try await host.whileLocked {
                let error = try await borgError {
                    _ = try await host.repository(program: fake).create(set, at: Host.time)
                }
                #expect(error?.code == .locked)
                #expect(error?.message == "repository 'offsite' is locked by another Borg")
                #expect(error?.context["holder"]?.contains("@") == true)
                #expect(error?.context["archive"] == Host.archiveName)
            }
            #expect(try read(verbs) == "--version\ncreate\n")
            _ = try await host.repository().create(set, at: Host.time)
        }
    }

    @Test("The passphrase is in no process's arguments or environment", arguments: BorgUnderTest.allCases)
    func secrecy(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let endless = try host.sealEndless()
            let progress = Recorded<ArchiveProgress>()
            let repository = host.repository()
            let task = Task { try await repository.create(endless) { progress.append($0) } }
            try await eventually { !progress.all.isEmpty }
            var running = 0
            for process in try RunningProcess.mentioning() {
                // It may end while we look.
                let variables = (try? read(FilePath("/proc/\(process.pid)/environ"))) ?? ""
                #expect(
                    !(process.commandLine + variables).contains(host.borg.passphrase), "\(process.commandLine)")
                if variables.contains("BORG_REPO=\(host.borg.repository)") { running += 1 }
            }
            #expect(running > 0)
            task.cancel()
            _ = try await borgError { _ = try await task.value }
        }
    }
}

extension Host {
    /// A set with a file that takes Borg minutes to read and no space on disk.
    func sealEndless() throws -> SealedSet {
        _ = try seal()
        let path = current.pushing("app/endless")
        try write("", to: path)
        guard truncate(path.string, 1 << 40) == 0 else { throw Errno(rawValue: errno) }
        return try seal([:])
    }

    var lockIsFree: Bool { access(borg.repository.appending("lock.exclusive").string, F_OK) != 0 }
}
