import DumpCore
import Linux
import SystemPackage

/// A snapshot of one volume: planned, held, or left by a run that died.
///
/// It is made of what its undo record says and of nothing else. So a run gives up its own snapshots exactly as the next
/// one gives up those of a dead run.
protocol VolumeSnapshot: UndoFacts {
    /// As `UndoRecord.kind` calls it.
    static var recordKind: String { get }

    /// As the operator knows it, such as `vg0/muster-nightly-20261123T080102Z-5f3a-data`. No other snapshot is called
    /// so.
    var name: String { get }

    /// Snapshots that say the same here are taken by one command, at one instant.
    var batch: String { get }

    /// Takes them all, in one act if there are several. Nothing else: the dump's moment is measured around it.
    ///
    /// - Parameter snapshots: of one batch, each on record. After a throw none, some or all of them may be there.
    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError)

    /// Does what has to be done to it before it can be mounted.
    func secure(by programs: SystemPrograms) async throws(DumpError)

    /// Whether names and bytes in it are as of one instant.
    var isOfOneInstant: Bool { get }

    /// What a mount of it is known by, see `SnapshotMount`. Nil if it is mounted by a command of the operator's.
    var mark: String? { get }

    /// How it is mounted, once it is there.
    func mounting(by programs: SystemPrograms) async throws(DumpError) -> Mounting

    /// Throws unless it still is all that it was when it was taken.
    func confirm(by programs: SystemPrograms) async throws(DumpError)

    /// Gives it up if it is there, whether or not it was ever secured, and is the one that `owner` took. It is not
    /// mounted. Nothing there is fine; one that is not ours is left alone, and returned as a reason.
    ///
    /// Throws when it cannot be found out or not be done: the record is kept then.
    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion
}

extension VolumeSnapshot {
    var kind: String { Self.recordKind }
    var isOfOneInstant: Bool { true }
}

/// What came of giving up a snapshot.
enum Deletion: Equatable {
    case done
    /// Something has its name that its owner did not make.
    case foreign
}

/// How a snapshot comes to be seen at a directory.
enum Mounting: Sendable, Equatable {
    /// By mount(8), with these arguments before the mount point.
    case byMount(arguments: [String])
    /// By a command of the operator's, which gives the mount point back together with the snapshot.
    case byCommand([String], deadline: Duration, environment: [String: String])

    /// The mount options of every snapshot: nothing is written there, and nothing there acts by being there.
    static let options = "ro,nodev,nosuid,noexec"
}

extension VolumeSnapshot {
    func secure(by programs: SystemPrograms) async throws(DumpError) {}

    func confirm(by programs: SystemPrograms) async throws(DumpError) {}

    /// `take` for those whose type is known to this one alone.
    func takeAll(
        of batch: [any VolumeSnapshot], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        try await Self.take(batch.compactMap { $0 as? Self }, for: owner, by: programs)
    }
}

extension ProcessIdentity {
    /// In letters that LVM's tags and ZFS's properties may have.
    var mark: String { "\(bootID)/\(pid)/\(startTicks)" }
}
