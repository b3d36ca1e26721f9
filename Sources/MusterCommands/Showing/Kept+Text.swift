import ArgumentParser
import DumpCore
import Pipeline
import Reporting

extension Upkeep.Kept {
    /// Prints what `text` makes of each repository, or all as JSON, and throws what went wrong for the exit status.
    func tell(_ output: OutputOptions, _ text: (KeptRepository) -> String?) throws {
        if output.json {
            Console.shared.result(try json(repositories, as: "repositories"))
        } else if !output.quiet {
            let texts = repositories.compactMap(text)
            if !texts.isEmpty { Console.shared.result(texts.joined(separator: "\n")) }
        }
        try failure?.asCommandFailure()
    }
}

extension RunFailure {
    /// Throws it, for the exit status of a command that looks after repositories.
    func asCommandFailure() throws {
        guard let error else { throw ExitCode(exitStatus.rawValue) }
        throw CommandFailure(status: exitStatus, error: error)
    }
}

extension RunReport.UpkeepRecord {
    /// What an operator reads of it behind the archive: `3 pruned, 12 kept, about 1.20 MiB freed; checked`.
    var text: String { [pruning, checked?.text].compactMap { $0 }.joined(separator: "; ") }

    private var pruning: String? {
        if let obstacle = pruneObstacles?.first { return "NOT PRUNED: \(obstacle.message)" }
        guard let pruned, let kept else { return nil }
        let space =
            freedBytes.map { ", about \(formatBytes($0)) freed" }
            ?? (pruned.isEmpty ? "" : ", Borg reports no freed space")
        return "\(pruned.count) pruned, \(kept) kept\(space)"
    }
}

extension RunReport.UpkeepRecord.Check {
    var text: String {
        switch self {
        case .full: "checked"
        case .data: "checked with all data"
        case .part: "checked in part"
        }
    }
}
