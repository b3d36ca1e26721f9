import DumpCore
import Glibc
import Linux
import SystemPackage

/// A dump with `layout: cluster`. On the drill's server, psql runs its one script. Like the server, psql is isolated, because a script may
/// hold commands for psql itself. The manifest holds no rows of such a dump, so rows cannot be compared. The drill proves that the script
/// runs to its end, and asks its questions.
struct ScriptDrill: Sendable {
    /// Verified.
    let script: FilePath
    let dump: Manifest.DumpRecord
    /// Databases that are asked for; none is all.
    let items: [String]
    let server: DrillServer

    func perform(in run: RunContext) async throws(DumpError) -> RestoreOutcome {
        let began = ContinuousClock.now
        run.log.notice("running the script of all databases", metadata: ["dump": "\(run.dump)"])
        try await runScript()
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        var restored: [RestoredItem] = []
        for database in dump.databases where items.isEmpty || items.contains(database.name) {
            var comparison = try await server.session(in: database.name) { session throws(DumpError) in
                try await DatabaseComparison(database, of: dump).compare(in: session, major: server.settings.major)
            }
            if database.tables.isEmpty { comparison.notCompared.insert("rows", at: 0) }
            restored.append(
                RestoredItem(
                    item: database.name, name: database.name, durationSeconds: seconds, comparison: comparison))
        }
        let version = try await server.session(in: "template1") { session throws(DumpError) in
            try await session.row("select current_setting('server_version') as version").text("version")
        }
        return RestoreOutcome(items: restored, identity: ["server_version": version])
    }

    private func runScript() async throws(DumpError) {
        let name = FilePath("script.sql")
        let place = server.server.directory.pushing(name)
        try handOver(to: place)
        var options = try server.options
        options["host"] = server.server.ownDirectory.string
        options["dbname"] = "postgres"
        options["options"] = "-c default_transaction_read_only=off"
        let outcome = try await server.server.run(
            "psql",
            [
                "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                "--file=\(server.server.ownDirectory.pushing(name))", "--dbname=\(options.conninfo)",
            ])
        // It takes space beside the databases, and is gone with the server in the end.
        try? FileSystem.removeFile(place)
        guard !outcome.succeeded else { return }
        let said = outcome.lastErrorLines.filter(\.isOfServer).joined(separator: "\n")
        throw DumpError(
            .programFailed,
            "psql of \(script.lastComponent?.string ?? "") \(outcome.status)\(RestoreFailure.words(said).map { ": \($0)" } ?? "")",
            hint: RestoreFailure.hint(said), context: said.isEmpty ? [:] : ["stderr": said])
    }

    /// Gives it to the server's user, where that user can read it.
    private func handOver(to place: FilePath) throws(DumpError) {
        do throws(Errno) {
            let owner = try FileSystem.status(of: server.server.data)
            guard Glibc.link(script.string, place.string) == 0, chown(place.string, owner.uid, owner.gid) == 0,
                chmod(place.string, 0o400) == 0
            else { throw Errno(rawValue: errno) }
        } catch {
            throw DumpError(
                .system, "cannot hand \(script) to the drill's server: \(error)",
                hint: error == .improperLink ? "Name a directory of one file system with --work." : nil,
                underlying: error)
        }
    }
}
