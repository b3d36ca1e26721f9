import Conformance
import DumpCore
import Linux
import Logging
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

@Suite("A command's output")
struct CommandTests {
    private func provider(_ settings: CommandSettings, log: Logger = .silent) -> CommandProvider {
        CommandProvider(
            settings: settings,
            means: ProviderMeans(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: log)))
    }

    private func dump(
        _ commands: [[String]], in scratch: FilePath, _ change: (inout CommandSettings) -> Void = { _ in }
    ) async throws -> String {
        var settings = CommandSettings()
        settings.commands = commands
        change(&settings)
        let directory = scratch.appending("dump")
        try FileSystem.createDirectory(directory)
        _ = try await TestRun().dump(provider(settings), into: directory)
        return try read(directory.appending(settings.file))
    }

    private func error(
        _ commands: [[String]], _ change: (inout CommandSettings) -> Void = { _ in }
    ) async throws -> DumpError? {
        var error: DumpError?
        try await withScratch { scratch in
            do {
                _ = try await dump(commands, in: scratch, change)
            } catch let found as DumpError {
                error = found
            }
        }
        return error
    }

    @Test("The output of a command is the dump, and of a pipe that of its last part")
    func output() async throws {
        try await withScratch { scratch in
            let alone = try await dump([["printf", "a b"]], in: scratch)
            #expect(alone == "a b")
        }
        try await withScratch { scratch in
            let piped = try await dump([["printf", "b\\na\\n"], ["sort"], ["tr", "a-z", "A-Z"]], in: scratch)
            #expect(piped == "A\nB\n")
        }
        try await withScratch { scratch in
            let pass = try await dump([["sh", "-c", "seq 300000"], ["cat"]], in: scratch) {
                $0.minimumBytes = 1_000_000
                $0.trailer = "3000"
                $0.verify = ["grep", "-q", "^299999$"]
            }
            #expect(pass.hasSuffix("300000\n"))
        }
    }

    @Test("An output that is empty, short, or ends otherwise is no dump")
    func incomplete() async throws {
        #expect(try await error([["true"]])?.message == "true ended with status 0 and printed nothing")
        #expect(
            try await error([["echo", "x"]]) { $0.minimumBytes = 3 }?.message.contains("less than the 3 B") == true)
        let end = try await error([["printf", "a\\nb\\n\\n"]]) { $0.trailer = "-- done" }
        #expect(end?.code == .incompleteDump && end?.context["last_line"] == "b")
        let wrong = try await error([["echo", "x"]]) { $0.verify = ["sh", "-c", "echo torn >&2; exit 2"] }
        #expect(wrong?.code == .incompleteDump && wrong?.context["stderr"] == "torn")
    }

    @Test("A failing part of a pipe fails the dump, and is the one that is named")
    func failingPart() async throws {
        let first = try await error([["sh", "-c", "echo x; echo broken >&2; exit 4"], ["cat"]])
        #expect(first?.message == "sh exited with status 4" && first?.context["stderr"] == "broken")
        let last = try await error([["yes"], ["sh", "-c", "exit 5"]])
        #expect(last?.message == "sh exited with status 5")
        let middle = try await error([["yes"], ["head", "-1"], ["cat"]])
        #expect(middle?.message == "yes was ended by signal 13 (SIGPIPE)")
        #expect(
            try await error([["sh", "-c", "echo x; sleep 1000 >/dev/null 2>&1 &"]])?.context["stderr"]?.contains(
                "left process") == true)
        #expect(try await error([["no-such-program"]])?.code == .programUnsuitable)
    }

    @Test(
        "A pipe of a shell that minds its last part alone is refused",
        arguments: ["export_all | zstd", "a|b", "x || y | z"])
    func blindPipe(text: String) async throws {
        #expect(try await error([["sh", "-c", text]])?.message.contains("status of its last part alone") == true)
        #expect(try await error([["bash", "-ec", "set -o pipefail; echo a | cat"]]) == nil)
        #expect(try await error([["sh", "-c", "echo a || true"]]) == nil)
    }

    @Test("A secret is a file in memory, and the command runs as the user who is named")
    func secretAndUser() async throws {
        try await withScratch { scratch in
            try write("hunter2hunter2\n", to: scratch.appending("secret"), mode: 0o600)
            let text = try await dump([["sh", "-c", "id -un; cat $MUSTER_SECRET_TOKEN"]], in: scratch) {
                $0.secrets = [.init(name: "token", source: .file(scratch.appending("secret").string))]
                $0.runAs = "nobody"
            }
            #expect(text == "nobody\nhunter2hunter2")
        }
    }

    @Test(
        "A command in a container is good only if its own status came out",
        arguments: [
            ("exec sh -c \"$8\" sh \"${10}\" printf hello", nil),
            ("exec sh -c \"$8\" sh \"${10}\" sh -c 'echo x; exit 3'", "sh exited with status 3 in container 'app'"),
            ("echo half; exit 0", "did not come to its end in container 'app'"),
            (
                "echo no such container >&2; exit 125",
                "did not come to its end in container 'app': docker exited with status 125"
            ),
        ])
    func container(script: String, message: String?) async throws {
        try await withScratch { scratch in
            // As docker is called: exec --interactive --user u app sh -c WRAPPER sh WORD program.
            let engine = scratch.appending("docker")
            try write("#!/bin/sh\n\(script)\n", to: engine, mode: 0o755)
            var settings = CommandSettings()
            settings.commands = [["sh"]]
            settings.container = ContainerSettings()
            settings.container?.name = "app"
            settings.container?.user = "u"
            let prepared = PreparedCommand(
                settings: settings, means: provider(settings).means, programs: [engine], secrets: [])
            let directory = scratch.appending("dump")
            try FileSystem.createDirectory(directory)
            let run = TestRun()
            do {
                _ = try await prepared.dump(into: directory, in: run.context)
                #expect(message == nil)
                #expect(try read(directory.appending("output")) == "hello")
            } catch let error as DumpError {
                #expect(error.message.contains(message ?? "no error"), "\(error)")
            }
        }
    }
}
