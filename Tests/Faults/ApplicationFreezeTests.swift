import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The freeze of an application in a job")
struct ApplicationFreezeTests {
    @Test("lasts while the snapshot is taken, and no longer: each command runs once")
    func aroundTheSnapshot() async throws {
        try await TestHost.withBtrfs { host, volume in
            let application = try Application(of: &host, writing: volume.letter)
            let dump = try await host.muster("dump")
            #expect(dump.status == .exited(0), "\(dump.errors)")
            #expect(try application.log() == ["freeze", "thaw"])
            #expect(try read(host.current.appending("documents/tree/letter")) == "freeze\n")
            #expect(try read(volume.letter) == "thaw\n")
            #expect(try host.journal() == [])
        }
    }

    @Test("does not last until a directory without a snapshot is read, which prepare says")
    func liveDirectory() async throws {
        try await TestHost.withBtrfs(hasServer: true) { host, volume in
            _ = try Application(of: &host)
            let plain = host.scratch.appending("plain")
            try FileSystem.createDirectory(plain)
            try write("dear", to: plain.appending("letter"))
            host.job.dumpLines += ["  plain:", "    provider: directory", "    path: \(plain)"]
            let check = try await host.muster("check")
            #expect(check.status == .exited(0), "\(check.errors)")
            let told = check.output.split(separator: "\n").filter { $0.contains("[outside_freeze]") }
            #expect(
                told.count == 1 && told[0].contains("\(plain) is read after the thaw, and may have changed"), "\(told)")
        }
    }

    @Test("lasts while commands of the operator's take the snapshot, and they release it after the thaw")
    func aroundCommands() async throws {
        try await TestHost.withFiles { host in
            let application = try Application(of: &host)
            try application.addCommandSnapshot(to: &host)
            let dump = try await host.muster("dump")
            #expect(dump.status == .exited(0), "\(dump.errors)")
            #expect(try application.log() == ["freeze", "create", "mount", "thaw", "release"])
            #expect(try read(host.current.appending("documents/tree/letter")) == "dear")
            #expect(try host.mountPoints() == [])
        }
    }

    @Test("ends when Muster is killed meanwhile; the next run thaws once more, and is fine")
    func killed() async throws {
        try await TestHost.withBtrfs { host, volume in
            let application = try Application(of: &host, writing: volume.letter)
            let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "freeze.made"])
            try #require(await run.stopped(), "it passes 'freeze.made'")
            #expect(try application.log() == ["freeze"])
            run.send(SIGKILL)
            #expect(try await run.result().status == .signaled(SIGKILL))
            let stopped = host
            try await eventually { try stopped.processes().isEmpty }
            #expect(try application.log() == ["freeze", "thaw"])
            let told = try await host.muster("status")
            #expect(told.output.contains("to be undone: application_freeze"), "\(told.output)")
            let next = try await host.muster("dump")
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(try application.log() == ["freeze", "thaw", "thaw", "freeze", "thaw"])
            #expect(try host.journal() == [])
            #expect(try await volume.subvolumes() == ["data"])
        }
    }

    enum Delay: CaseIterable {
        /// The freeze command never ends.
        case freeze
        /// The snapshot is there only after the thaw.
        case create

        var complaint: String {
            switch self {
            case .freeze: "freeze_command took longer than 5s, and was stopped"
            case .create:
                "the application was thawed after 5s, before all snapshots were taken"
            }
        }
    }

    @Test("that does not last until all is taken fails the run, which publishes nothing", arguments: Delay.allCases)
    func late(because delay: Delay) async throws {
        try await TestHost.withFiles { host in
            let application = try Application(of: &host)
            try application.addCommandSnapshot(to: &host)
            let first = try await host.muster("dump")
            try #require(first.status == .exited(0), "\(first.errors)")
            let published = try host.currentFingerprint()
            try application.forget()

            application.limitTime(to: "5s", in: &host)
            switch delay {
            case .freeze: try application.extend("freeze", by: "exec sleep 1000")
            case .create:
                try application.extend("create", by: "until grep -q thaw \(application.calls); do sleep 0.05; done")
            }
            let run = try await host.muster("run")
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.errors.contains(delay.complaint), "\(run.errors)")
            #expect(try host.currentFingerprint() == published)
            #expect(try await host.archiveNames() == [])
            #expect(try application.log().contains("thaw"))
            #expect(try application.log().last == (delay == .create ? "release" : "thaw"))
            #expect(try host.journal() == [])
            #expect(try host.mountPoints() == [])
            try await eventually { [host] in try host.processes().isEmpty }
        }
    }
}

/// An application of a job, with the commands that freeze and thaw it, which write down that they were called.
private struct Application: Sendable {
    let calls: FilePath
    private let scratch: FilePath
    private let program: FilePath

    /// - Parameter letter: a file in which the application writes whether it was frozen or thawed last.
    init(of host: inout TestHost, writing letter: FilePath? = nil) throws {
        scratch = host.scratch
        calls = scratch.appending("calls")
        program = scratch.appending("application")
        try FileSystem.createDirectory(scratch.appending("extensions"))
        try forget()
        let text = """
            #!/bin/bash
            echo "$1" >> \(calls)
            \(letter.map { "echo \"$1\" > \($0)" } ?? "")
            extension=\(scratch)/extensions/$1
            [ ! -e "$extension" ] || source "$extension"
            case $1 in
                create) cp -a "$MUSTER_SOURCE" \(scratch)/copy ;;
                mount) mount --bind \(scratch)/copy "$MUSTER_MOUNT_POINT" ;;
                release) ! mountpoint -q "$MUSTER_MOUNT_POINT" || umount "$MUSTER_MOUNT_POINT"; rm -rf \(scratch)/copy ;;
            esac

            """
        try write(text, to: program, mode: FilePermissions(rawValue: 0o755))
        limitTime(to: "60s", in: &host)
    }

    /// Puts the application into the job, in place of what is there of it.
    func limitTime(to deadline: String, in host: inout TestHost) {
        host.job.lines.removeAll { $0.hasPrefix("freeze:") }
        host.job.lines.append(
            "freeze: {freeze_command: [\(program), freeze], thaw_command: [\(program), thaw], deadline: \(deadline)}")
    }

    /// A dump `documents` of a directory in which is a letter, by a snapshot that the program takes.
    func addCommandSnapshot(to host: inout TestHost) throws {
        host.nameJobUniquely()
        let documents = scratch.appending("documents")
        try FileSystem.createDirectory(documents)
        try write("dear", to: documents.appending("letter"))
        host.job.dumpLines += [
            "  documents:", "    provider: directory", "    path: \(documents)", "    snapshot:", "      command:",
            "        create: [\(program), create]", "        mount: [\(program), mount]",
            "        release: [\(program), release]",
        ]
    }

    /// What else a command does first, in bash.
    func extend(_ command: String, by script: String) throws {
        try write(script + "\n", to: scratch.appending("extensions/\(command)"))
    }

    func log() throws -> [String] { try read(calls).split(separator: "\n").map(String.init) }

    /// What was called before is of no interest any more.
    func forget() throws { try write("", to: calls) }
}
