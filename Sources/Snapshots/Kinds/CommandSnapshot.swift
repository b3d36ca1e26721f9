import DumpCore
import Linux
import SystemPackage

/// A snapshot that the operator's own commands take, mount and give up.
struct CommandSnapshot: VolumeSnapshot {
    static let recordKind = "command_snapshot"

    var commands: SnapshotCommands
    /// What the commands get, by the names of the variables.
    var environment: [String: String]
    var label: String
    var mountPoint: FilePath

    var name: String { label }
    var batch: String { "command \(label)" }

    init(
        _ commands: SnapshotCommands, of source: FilePath, called label: String, at mountPoint: FilePath, job: String,
        dump: String, run: RunID
    ) {
        self.commands = commands
        self.label = label
        self.mountPoint = mountPoint
        environment = [
            "MUSTER_JOB": job, "MUSTER_DUMP": dump, "MUSTER_RUN_ID": run.description,
            "MUSTER_SNAPSHOT_NAME": label, "MUSTER_SOURCE": source.string, "MUSTER_MOUNT_POINT": mountPoint.string,
        ]
    }

    /// A word of a command has no line end in it: `Shape.command`.
    var recorded: [String: String] {
        environment.merging([
            "release": commands.release.joined(separator: "\n"),
            "deadline_seconds": "\(commands.deadline.components.seconds)",
        ]) { $1 }
    }

    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        for snapshot in snapshots {
            try await programs.run(
                snapshot.commands.create, for: "the command that creates the snapshot",
                within: snapshot.commands.deadline, environment: snapshot.environment)
        }
    }

    var mark: String? { nil }

    func mounting(by programs: SystemPrograms) -> Mounting {
        .byCommand(commands.mount, deadline: commands.deadline, environment: environment)
    }

    /// What was mounted held something, or it would not have been dumped; and the directory without it is empty.
    func confirm(by programs: SystemPrograms) async throws(DumpError) {
        guard let names = try? FileSystem.names(in: mountPoint), !names.isEmpty else {
            throw DumpError(
                .snapshotLost, "the snapshot is no longer mounted at \(mountPoint)",
                hint: "Find out who unmounted it, and run it again.", context: ["snapshot": label])
        }
    }

    /// All that we know is that the name is ours alone; the rest is up to the command.
    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion {
        try await programs.run(
            commands.release, for: "the command that releases the snapshot", within: commands.deadline,
            environment: environment)
        try MountDirectory(mountPoint).remove()
        return .done
    }
}

extension CommandSnapshot {
    init(of record: UndoRecord) throws(DumpError) {
        commands = SnapshotCommands()
        commands.release = try record.fact("release").split(atASCII: "\n", omittingEmptySubsequences: false).map(
            String.init)
        commands.deadline = .seconds(min(max(1, Int64(try record.fact("deadline_seconds")) ?? 300), 86400))
        environment = record.facts(named: "MUSTER_")
        label = try record.fact("MUSTER_SNAPSHOT_NAME")
        mountPoint = FilePath(try record.fact("MUSTER_MOUNT_POINT"))
    }
}
