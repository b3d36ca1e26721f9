import DumpCore
import Restoring

extension JobMetrics {
    mutating func addDrills(_ records: JobRecords, _ health: JobHealth) {
        add(.drillAlertAfter, health.drill?.ageLimit?.seconds)
        add(.drillLastProven, health.drill?.lastProvenAt)
        add(.drillRestoreDuration, health.drill?.restoreSeconds)
        guard let last = records.drills.last else { return }
        add(.drillLast, last.endedAt)
        add(.drillLastSuccess, last.outcome != .failed)
        let outcomes: [DrillRecord.Outcome] = [.proven, .sampled, .failed]
        add(.drillLastOutcome, stateOf: last.outcome.rawValue, among: outcomes.map(\.rawValue))
        add(.drillLastDuration, last.durationSeconds)
        for dump in last.dumps {
            add(.drillDumpSuccess, dump.isProven, dump.name)
            add(.drillDumpDuration, dump.durationSeconds, dump.name)
        }
    }
}
