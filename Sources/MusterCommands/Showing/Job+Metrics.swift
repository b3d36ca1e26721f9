import Jobs
import Logging
import Monitoring
import Restoring

extension Job {
    /// Writes the job's metrics, if it has any, after something that changed what is on record of it.
    func writeMetrics(log: Logger) async {
        for obstacle in await MetricsFile.update(of: self, state: RestoreArea.usualRoot(), tool: toolRecord) {
            log.warning(
                "\(obstacle.message)", metadata: ["code": "\(obstacle.code)", "hint": "\(obstacle.hint ?? "")"])
        }
    }
}
