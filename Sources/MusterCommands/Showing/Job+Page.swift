import DumpCore
import Jobs
import Linux
import Logging
import Monitoring
import Restoring
import SystemPackage

extension Job {
    /// Writes the page that `report:` of the job file asks for, if it does. A page that cannot be written is a warning, and nothing more: the backup
    /// is as good without it.
    ///
    /// - Parameter state: the restore area that has the records of drills.
    func writePage(state: FilePath = RestoreArea.usualRoot(), log: Logger) async {
        guard let report else { return }
        do {
            try await ReportFile(report.html).write(ReportPage(of: ReportMaterial(of: self, state: state)).html)
        } catch {
            let error = error.forOperator
            log.warning(
                "\(error.message)",
                metadata: [
                    "code": "\(error.codeName)", "hint": "\(error.hint ?? "Try it by hand: muster report \(name)")",
                ])
        }
    }
}
