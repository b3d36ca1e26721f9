import ArgumentParser
import DumpCore
import Logging
import Reporting
import Restoring

extension RestoreCommand {
    /// `--undo`.
    func undoLeftovers(_ log: Logger) async throws {
        guard let area = try await RestoreArea.openExisting(restoreOptions.root) else {
            return Console.shared.result(
                output.json ? try json([Undoing](), as: "records") : "nothing is left to undo")
        }
        let done = try await RestoreLeftovers(
            restoreOptions.means(in: area, plugins: options.ofJob.pluginPath, log: log)
        ).undo()
        if output.json {
            Console.shared.result(try json(done, as: "records"))
        } else if !output.quiet {
            Console.shared.result(done.isEmpty ? "nothing is left to undo" : done.map(\.restoreText).asLines)
        }
        if done.contains(where: { $0.error != nil }) { throw ExitCode(ExitStatus.restoreFailed.rawValue) }
    }

    /// `--drop-old`: removes what is named, or lists what is kept.
    func dropKept(_ log: Logger) async throws {
        var scope = KeptItems.Scope()
        (scope.ofTarget, scope.ofHost) = (
            what.paths.isEmpty || !what.databases.isEmpty, what.databases.isEmpty || !what.paths.isEmpty
        )
        scope.kinds = place.request.target == nil ? options.ofJob.kinds : nil
        let kept = KeptItems(
            place.request, scope, by: try restoreOptions.restorers(plugins: options.ofJob.pluginPath, log: log),
            in: try await RestoreArea.openExisting(restoreOptions.root), log: log)
        let found = try await kept.all()
        let wanted = what.databases + what.paths
        guard !wanted.isEmpty else {
            return Console.shared.result(output.json ? try json(found, as: "kept") : KeptItems.text(found))
        }
        let dropped = try await kept.drop(wanted, rehearsal: dryRun)
        if output.json { return Console.shared.result(try json(dropped, as: "kept")) }
        if !output.quiet { Console.shared.result(dropped.map { "dropped: \($0.name)" }.asLines) }
    }
}

extension Undoing {
    fileprivate var restoreText: String {
        guard let record else { return "not undone: \(error?.message.onOneLine ?? "")" }
        let what = "\(record.kind) of dump \(record.dump), left by restore \(record.run)"
        guard let error else { return "undone: \(what)".onOneLine }
        return (["not undone: \(what): \(error.message)".onOneLine] + details).asLines
    }
}
