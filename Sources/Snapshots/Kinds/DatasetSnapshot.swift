import DumpCore
import SystemPackage

/// A snapshot of a ZFS dataset, held so that it is not destroyed while it is read. Its owner is in a property of it.
struct DatasetSnapshot: VolumeSnapshot {
    static let recordKind = "zfs_snapshot"

    var dataset: String
    /// By which it is known: its name may be given to another.
    var guid: String
    /// What follows the `@`, and the tag of our hold.
    var label: String

    var name: String { "\(dataset)@\(label)" }
    /// One command takes the snapshots of one pool, at one instant: zfs-snapshot(8).
    var batch: String { "zfs \(dataset.prefix { $0 != "/" })" }
    var recorded: [String: String] { ["dataset": dataset, "guid": guid, "snapshot": label] }

    private static let ownerProperty = "muster:owner"

    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        try await programs.run(
            "zfs", ["snapshot", "-o", "\(ownerProperty)=\(owner.mark)"] + snapshots.map(\.name))
    }

    func secure(by programs: SystemPrograms) async throws(DumpError) {
        try await programs.run("zfs", ["hold", label, name])
    }

    /// Never through `.zfs/snapshot`: what is mounted there by itself goes by itself, and changes its inodes (Borg's
    /// issue 6652).
    func mounting(by programs: SystemPrograms) -> Mounting {
        .byMount(arguments: ["-t", "zfs", "-o", Mounting.options, name])
    }

    var mark: String? { name }

    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion {
        guard let found = try await ownerFound(by: programs) else { return .done }
        guard found == owner.mark else { return .foreign }
        let holds = try await programs.run("zfs", ["holds", "-H", name])
        if holds.split(atASCII: "\n").contains(where: { $0.split(atASCII: "\t").dropFirst().first == label[...] }) {
            try await programs.run("zfs", ["release", label, name])
        }
        try await programs.run("zfs", ["destroy", name])
        return .done
    }

    /// Whose it is, as its property says, or nil if there is no such snapshot of a dataset that is there.
    private func ownerFound(by programs: SystemPrograms) async throws(DumpError) -> String? {
        let found = try await programs.outcome(
            "zfs", ["list", "-H", "-t", "snapshot", "-o", Self.ownerProperty, name])
        if found.succeeded { return String(decoding: found.output, as: UTF8.self).filter { $0 != "\n" } }
        let guid = try await Self.guid(of: dataset, by: programs)
        guard guid == self.guid else {
            throw DumpError(
                .sourceUnavailable, "\(dataset) is another dataset than the one that had the snapshot \(label)",
                hint: "Give that one its name back and run 'muster undo'.", context: ["guid": self.guid, "found": guid])
        }
        return nil
    }

    static func guid(of dataset: String, by programs: SystemPrograms) async throws(DumpError) -> String {
        try await programs.run(
            "zfs", ["get", "-H", "-p", "-o", "value", "guid", dataset],
            hint: "Import the pool of \(dataset), and if one of Muster's snapshots is in it, run 'muster undo'."
        ).filter { $0 != "\n" }
    }
}

extension DatasetSnapshot {
    init(of record: UndoRecord) throws(DumpError) {
        dataset = try record.fact("dataset")
        guid = try record.fact("guid")
        label = try record.fact("snapshot")
    }
}
