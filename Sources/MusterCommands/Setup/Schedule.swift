import DumpCore
import Jobs
import Linux
import Processes
import SystemPackage

/// A job's timer.
struct Schedule {
    let job: Job

    private var timer: String { "muster@\(job.name).timer" }

    /// Why it cannot be scheduled here, and what to do then; nil if it can.
    var obstacle: String? {
        guard SystemdUnits.isManagerThere else {
            return "systemd does not run here. Have something else start muster run \(job.name)."
        }
        guard UserAccount.currentIsRoot else { return "only root can. As root: systemctl enable --now \(timer)" }
        guard SystemdUnits.isInstalled("muster@.timer") else {
            return "the units are not installed. make install installs them, and so does the package."
        }
        return nil
    }

    /// Enables and starts the timer, with what the job needs of its unit.
    func begin() async throws {
        try await JobUnits(of: job).install()
        try await SystemdUnits.systemctl("enable", "--now", timer)
        say("Runs every night after two o'clock. See: systemctl list-timers \(timer)")
    }
}
