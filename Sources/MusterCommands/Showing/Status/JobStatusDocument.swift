import DumpCore
import Monitoring
import Reporting
import Restoring

/// A job's status for scripts: what is on record, and how it is judged, in one object.
struct JobStatusDocument: Encodable {
    private let status: JobStatus
    private let health: JobHealth
    private let lastDrill: DrillRecord?

    private enum CodingKeys: String, CodingKey { case lastDrill }

    init(_ records: JobRecords, _ health: JobHealth) {
        var status = records.status
        status.runs = Array(status.runs.prefix(20))
        (self.status, self.health, lastDrill) = (status, health, records.drills.last)
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        try health.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(lastDrill, forKey: .lastDrill)
    }
}
