import Settings
import Snapshots

extension ProviderKind {
    public static let directory = ProviderKind(
        "directory", "A directory with all that is in it, copied with everything that a restore needs.",
        shape: DirectorySettings.shape, restorer: { _ in DirectoryRestorer() },
        make: { all, means in
            // The snapshots of one job are taken together.
            let round = SnapshotRound(job: means.job, runner: means.runner)
            return all.map { DirectoryProvider(settings: $0, round: round) }
        })
}
