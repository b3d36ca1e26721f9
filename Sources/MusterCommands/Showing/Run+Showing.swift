import Jobs
import Logging
import Monitoring
import Pipeline
import Restoring

extension Run {
    /// A run that is shown as it goes on, and that the journal's entries of this process are about.
    init(showing job: ReadyJob, acceptsSizes: Bool = false, log: Logger) {
        self.init(
            job, tool: toolRecord, display: ProgressFeed.shared, acceptsSizes: acceptsSizes,
            observer: { _ in await MetricsFile.update(of: job.job, state: RestoreArea.usualRoot(), tool: toolRecord) },
            log: log)
        Console.shared.isAbout(job: job.name, run: id.description)
    }
}
