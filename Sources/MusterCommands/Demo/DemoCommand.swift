import ArgumentParser
import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

struct DemoCommand: MusterCommand {
    static let manual = CommandManual(
        "demo", "Show a whole run on a throw-away PostgreSQL cluster and Borg repository.",
        story: """
            Everything is in one temporary directory, which is removed at the end. The demo needs PostgreSQL's server programs and borg. It \
            needs no root; as root it runs PostgreSQL as the user postgres.
            """,
        examples: [
            "muster demo": "Show a run, an archive and a restore.",
            "muster demo --keep": "Keep the directory, to look around in it.",
        ], statuses: .of(.dumpFailed, .archiveFailed, .verificationFailed, .restoreFailed))

    @Flag(help: "Keep the directory, to look around in it.") var keep = false

    func run() async throws {
        let log = OutputOptions.parseOrExit([]).logger()
        let place = try DemoDirectory()
        defer { if !keep { place.remove() } }
        // Borg keeps its caches and keys below this; the user's own stay untouched.
        setenv("BORG_BASE_DIR", place.root.appending("borg-home").string, 1)
        let cluster = try DemoCluster(in: place.root, runner: ProgramRunner(keeper: try Keeper.installed(), log: log))
        try await cluster.whileRunning { try await story(place, cluster) }
        if keep { say("Everything is in \(place.root).") }
    }

    private func story(_ place: DemoDirectory, _ cluster: DemoCluster) async throws {
        say("A PostgreSQL \(cluster.version) cluster with two databases now runs in \(place.root).")
        let job = try place.writeJob(socket: cluster.server.directory, runAs: cluster.server.user)
        say("The job file:\n\n" + job.split(atASCII: "\n").map { "    \($0)" }.joined(separator: "\n"))
        try await muster("check", "--config", place.jobFile.string)
        try await muster("run", "--config", place.jobFile.string)
        try await muster("verify", "--config", place.jobFile.string)
        try await muster("list", "--config", place.jobFile.string)
        try await DemoRestore(place: place, runner: cluster.runner).perform()
        say("The file from the archive equals the one that was dumped.")
    }

    /// Runs one of our own commands as if it had been typed.
    private func muster(_ arguments: String...) async throws {
        say("$ muster " + arguments.joined(separator: " "))
        let status = await Muster.end(arguments[...])
        if status != 0 { throw ExitCode(status) }
    }
}

func say(_ text: String) { Console.shared.result("\n" + text) }

/// What went wrong in the demo itself.
struct DemoError: OperatorError {
    let codeName = "demo"
    var message: String
    var hint: String?
    var context: ErrorContext = [:]
}
