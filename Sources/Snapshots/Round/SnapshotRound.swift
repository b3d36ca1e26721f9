import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// The file system snapshots of one job: every dump of it that wants one is handed the same round.
///
/// Dumps whose paths lie on one volume share its snapshot, and the datasets of one ZFS pool are taken in one act. So
/// each `examine` puts down what its dump needs, the first `take` takes it for all of them, and the last `release`
/// gives it up. After that the round can be used again, by the same run or by another.
public actor SnapshotRound {
    nonisolated let job: String
    nonisolated let runtime: FilePath
    nonisolated let programs: SystemPrograms
    /// What each dump needs, by its name.
    private var needs: [String: [any VolumeSnapshot]] = [:]
    /// What was taken, or is being taken, by the name of the snapshot. Several names may have one batch.
    private var batches: [String: Batch] = [:]

    /// - Parameters:
    ///   - job: its name is part of the names of snapshots and mount points.
    ///   - runtime: the directory in which snapshots are mounted, see `standardRuntime`.
    public init(job: String, runtime: FilePath = SnapshotRound.standardRuntime, runner: ProgramRunner) {
        self.init(job: job, runtime: runtime, programs: SystemPrograms(runner: runner))
    }

    init(job: String, runtime: FilePath, programs: SystemPrograms) {
        self.job = job
        self.runtime = runtime
        self.programs = programs
    }

    /// `/run/muster` for root, and `muster` in `XDG_RUNTIME_DIR` for others.
    public static var standardRuntime: FilePath {
        if UserAccount.currentIsRoot { return "/run/muster" }
        let own = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/run/user/\(geteuid())"
        return FilePath(own).appending("muster")
    }

    /// Remembers what a dump needs, in place of what it needed before.
    func register(_ snapshots: [any VolumeSnapshot], for dump: String) { needs[dump] = snapshots }
}

// MARK: Taking and giving up

/// The work of taking a batch, which is never left half done: after a failure nothing of it is there.
private typealias Taking = Task<Result<TakenBatch, DumpError>, Never>

/// Snapshots that one command took, or is taking.
private final class Batch {
    let names: [String]
    let taking: Taking
    /// The dumps that have to release it.
    var users: Set<String>
    /// Whether it is mounted still, as far as we know, although its users are done with it.
    var isStuck = false
    var ending: Task<Void, Never>?

    init(names: [String], users: Set<String>, taking: Taking) {
        self.names = names
        self.users = users
        self.taking = taking
    }
}

/// What came of taking a batch.
struct TakenBatch: Sendable {
    var volumes: [RecordedSnapshot]
    /// Just before the act.
    var from: Timestamp
    /// Just after it.
    var to: Timestamp
}

extension SnapshotRound {
    /// Takes a dump's snapshots, together with those that other dumps need of the same act, unless that was done
    /// already.
    ///
    /// Returns when they were taken. After a throw there is nothing for this dump to release.
    func takeSnapshots(
        _ snapshots: [any VolumeSnapshot], in run: RunContext
    ) async throws(DumpError) -> [TakenBatch] {
        var taking: [Taking] = []
        for snapshot in snapshots { taking.append(await join(snapshot, in: run)) }
        var taken: [TakenBatch] = []
        do throws(DumpError) {
            for task in taking { taken.append(try await outcome(of: task)) }
            guard !Task.isCancelled else { throw DumpError(.cancelled, "taking a snapshot was cancelled") }
        } catch {
            await leave(snapshots, by: run)
            throw error
        }
        return taken
    }

    /// Gives up a dump's part in its snapshots; the last one gives them up themselves. Never throws: what cannot be
    /// undone stays on record.
    ///
    /// - Parameter stillMounted: whether the dump could not unmount them; then they stay.
    func leave(_ snapshots: [any VolumeSnapshot], by run: RunContext, stillMounted: Bool = false) async {
        for snapshot in snapshots {
            guard let batch = batches[snapshot.name] else { continue }
            if stillMounted { batch.isStuck = true }
            guard batch.users.remove(run.dump) != nil, batch.users.isEmpty else { continue }
            await end(batch, in: run)
        }
    }

    private func join(_ snapshot: any VolumeSnapshot, in run: RunContext) async -> Taking {
        while let ending = batches[snapshot.name]?.ending { await ending.value }
        if let batch = batches[snapshot.name] {
            guard !batch.isStuck else { return Task { .failure(Self.stuck(snapshot)) } }
            batch.users.insert(run.dump)
            return batch.taking
        }
        return begin(snapshot, in: run).taking
    }

    /// Everything of its batch that any dump needs, each as the first dump by name wants it, and on record for that.
    private func begin(_ snapshot: any VolumeSnapshot, in run: RunContext) -> Batch {
        let needed =
            needs.sorted { $0.key < $1.key }.flatMap { dump, all in all.map { BatchMember(snapshot: $0, dump: dump) } }
            + [BatchMember(snapshot: snapshot, dump: run.dump)]
        var members: [String: BatchMember] = [:]
        for member in needed where member.snapshot.batch == snapshot.batch {
            let name = member.snapshot.name
            if members[name] == nil, batches[name] == nil { members[name] = member }
        }
        let ordered = members.values.sorted { $0.snapshot.name < $1.snapshot.name }
        let programs = programs
        let batch = Batch(
            names: ordered.map(\.snapshot.name), users: [run.dump],
            taking: Task { await RecordedSnapshot.take(ordered, in: run, by: programs) })
        for name in batch.names { batches[name] = batch }
        return batch
    }

    private static func stuck(_ snapshot: any VolumeSnapshot) -> DumpError {
        DumpError(
            .system, "the snapshot \(snapshot.name) of an earlier attempt could not be unmounted",
            hint: "Find out who still uses it, and run 'muster undo'.")
    }

    /// A batch that is stuck stays in the table: its names cannot be taken again.
    private func end(_ batch: Batch, in run: RunContext) async {
        guard !batch.isStuck else { return }
        let (taking, names, programs) = (batch.taking, batch.names, programs)
        // A task of its own: it is not cancelled when the run is.
        let ending = Task {
            if case .success(let taken) = await taking.value {
                await RecordedSnapshot.giveUp(taken.volumes, in: run, by: programs)
            }
            for name in names { batches[name] = nil }
        }
        batch.ending = ending
        await ending.value
    }

    private func outcome(of taking: Taking) async throws(DumpError) -> TakenBatch {
        try await taking.cancellableValue.get()
    }
}
