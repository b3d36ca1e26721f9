import DumpCore
import Linux
import SystemPackage

extension SnapshotRound {
    /// Looks at what holds `path`, and puts down that `dump` will need a snapshot of it. Changes nothing.
    ///
    /// - Parameter path: a directory or a file; symbolic links are followed.
    /// - Throws: `DumpError` where no such snapshot can be taken, or none can be planned without a program that is missing.
    public func examine(
        _ path: FilePath, _ settings: SnapshotSettings, for dump: String, in run: RunContext
    ) async throws(DumpError) -> PlannedSnapshot {
        let survey = try Survey(of: path, runtime: runtime)
        let plan = try await Planning(round: self, survey: survey, settings: settings, dump: dump, run: run).plan()
        register(plan.parts.map(\.snapshot), for: dump)
        return plan
    }
}

/// The way from a path and its settings to a planned snapshot.
struct Planning: Sendable {
    let round: SnapshotRound
    let survey: Survey
    let settings: SnapshotSettings
    let dump: String
    let run: RunContext

    var programs: SystemPrograms { round.programs }

    private var directory: MountDirectory { MountDirectory(in: round.runtime, job: round.job, dump: dump, run) }

    /// In letters that LVM, ZFS and file systems have in common, as the names of jobs and dumps are.
    var label: String { "muster-\(escapedPathComponent(round.job))-\(run.runID)".replacing("%", with: "+") }

    func plan() async throws(DumpError) -> PlannedSnapshot {
        if let commands = settings.commands { return try planCommands(commands) }
        guard UserAccount.currentIsRoot else {
            throw DumpError(
                .settings, "a snapshot needs root, and Muster runs as '\(UserAccount.current?.name ?? "?")'",
                hint: "Run Muster as root, or leave snapshot out of the job file.")
        }
        try requirePrograms(["mount", "umount"])
        switch try kind() {
        case .btrfs: return try await planBtrfs()
        case .zfs: return try await planZFS()
        case .lvm, .auto, .command: return try await planLVM()
        }
    }

    /// What the path lives on, if that is what the settings ask for.
    private func kind() throws(DumpError) -> SnapshotSettings.Kind {
        let found: SnapshotSettings.Kind? =
            switch survey.mount.fileSystem {
            case "btrfs": .btrfs
            case "zfs": .zfs
            default: survey.mount.isOnDeviceMapper ? .lvm : nil
            }
        // Btrfs on a logical volume too: the kernel would take the volume's snapshot, with the same UUID, for the file
        // system itself.
        guard let found, settings.kind == .auto || settings.kind == found else { throw unsuitable() }
        return found
    }

    /// No snapshot of the kind that is asked for can be taken of what the path lives on.
    func unsuitable() -> DumpError {
        let wanted = settings.kind == .auto ? "of which no snapshot can be taken" : "which is not \(settings.kind)"
        return DumpError(
            .settings, "\(survey.path) lives on \(survey.mount.described), \(wanted)",
            hint: """
                Move it to Btrfs, ZFS or a logical volume, or write commands of your own under \
                'snapshot: {command: {create: …, mount: …, release: …}}', or leave snapshot out.
                """)
    }

    func requirePrograms(_ names: [String]) throws(DumpError) {
        for name in names { _ = try programs.path(of: name) }
    }

    /// - Parameters:
    ///   - volume: what the snapshot is taken of, as the operator knows it.
    ///   - parts: the volume of the path first.
    ///   - inside: the path, relative to that volume's root.
    ///   - volumesBelow: where volumes begin below the path, whatever is made of them.
    func planned(
        _ kind: SnapshotSettings.Kind, of volume: String, _ parts: [PlannedSnapshot.Part], inside: FilePath,
        volumesBelow: Set<FilePath>, facts: ErrorContext = [:], findings: [Finding] = []
    ) -> PlannedSnapshot {
        var all: ErrorContext = ["snapshot": kind.rawValue, "volume": volume, "mount_point": directory.point.string]
        for fact in facts { all[fact.name] = fact.value }
        return PlannedSnapshot(
            facts: all, findings: findings.sorted { $0.severity > $1.severity }, planning: self, kind: kind,
            directory: directory, parts: parts, inside: inside, volumesBelow: volumesBelow)
    }

    private func planCommands(_ commands: SnapshotCommands) throws(DumpError) -> PlannedSnapshot {
        try requirePrograms([commands.create[0], commands.mount[0], commands.release[0]])
        let snapshot = CommandSnapshot(
            commands, of: survey.path, called: "\(label)-\(escapedPathComponent(dump))", at: directory.point,
            job: round.job,
            dump: dump, run: run.runID)
        let findings = survey.mountsBelow.map { mount in
            Finding(
                .warning, "volume_omitted", object: mount.point.string,
                "\(mount.described), is in the snapshot only if the commands take it too",
                hint: "If they do not, make it a dump of its own.")
        }
        return planned(
            .command, of: survey.path.string, [PlannedSnapshot.Part(snapshot: snapshot, place: "")], inside: "",
            volumesBelow: survey.pointsBelow, findings: findings)
    }
}

extension MountTable.Mount {
    /// Whether a device of the device mapper is mounted: a logical volume, an encrypted device, a path of several.
    var isOnDeviceMapper: Bool {
        (try? FileSystem.status(of: FilePath("/sys/dev/block/\(device)/dm"))) != nil || source.hasPrefix("/dev/mapper/")
            || source.hasPrefix("/dev/dm-")
    }

    /// For an operator: `ext4 of /dev/sda1, mounted at /srv`.
    var described: String { "\(fileSystem) of \(source), mounted at \(point)" }
}
