import DumpCore
import Jobs
import Linux
import Logging
import Processes
import Reporting
import Staging
import Synchronization

/// Notifies the receivers of a job. Each event goes to the receivers that want it. They hear of an incident once when it begins and once
/// when it ends.
///
/// `incidents.json` of the staging area says who knows of an incident. A receiver that was not reached gets the notice the next time. So
/// does a receiver whose answer was not noted because of a crash.
public struct Notices: Sendable {
    let job: Job
    let runner: ProgramRunner
    let log: Logger

    public init(of job: Job, by runner: ProgramRunner, log: Logger) {
        (self.job, self.runner, self.log) = (job, runner, log)
    }

    /// Tells of an event, of incidents that it opens, and of incidents that it ends, all receivers side by side.
    ///
    /// Returns what came of each, in the order of the job file, within the longest deadline. It does so also when our task is cancelled: how a
    /// run ended gets it then too. Never throws: a receiver that cannot be reached must not fail a backup, and is logged.
    @discardableResult
    public func tell(_ event: Notice? = nil, _ changes: [IncidentChange] = []) async -> [RunReport.NoticeRecord] {
        guard !job.receivers.isEmpty else { return [] }
        let notices = self
        return await untilDone { await notices.tellAll(event, changes) }
    }

    private func tellAll(_ event: Notice?, _ changes: [IncidentChange]) async -> [RunReport.NoticeRecord] {
        var due = event.map(deliveries) ?? []
        let changes = changes.map { change in change.told(by: job) }
        if !changes.isEmpty { due += await note(changes) }
        guard !due.isEmpty else { return [] }
        StopPoint.passing("notices")
        let told = await carry(due)
        StopPoint.passing("told")
        await note(told)
        return told.map(\.record)
    }

    /// To those who get every single event.
    private func deliveries(of notice: Notice) -> [Delivery] {
        job.receivers.filter { receiver in
            guard receiver.hears(of: notice.topic), receiver.hears(notice.event) else { return false }
            return receiver.hearsOfEachRun || ![.failure, .recovery].contains(notice.event)
        }.map { Delivery(receiver: $0, notice: notice) }
    }

    private func carry(_ deliveries: [Delivery]) async -> [ToldDelivery] {
        await withTaskGroup(of: (Int, ToldDelivery).self) { group in
            for (place, delivery) in deliveries.enumerated() {
                group.addTask { (place, ToldDelivery(delivery, error: await delivery.carry(by: runner))) }
            }
            var told: [(Int, ToldDelivery)] = []
            for await outcome in group { told.append(outcome) }
            return told.sorted { $0.0 < $1.0 }.map(\.1)
        }.map { told in
            warn(of: told)
            return told
        }
    }

    private func warn(of told: ToldDelivery) {
        guard let error = told.record.error else { return }
        log.warning(
            "receiver '\(told.delivery.receiver.name)' was not reached: \(error.message)",
            metadata: ["event": "\(told.record.event)", "code": "\(error.code)"])
    }
}

extension Notices {
    /// Tells of a failure that belongs to no incident, because nothing would ever say that it has ended.
    @discardableResult
    public func tellOnce(_ notice: Notice) async -> [RunReport.NoticeRecord] {
        let receivers = job.receivers.filter { $0.hears(of: notice.topic) && $0.hears(notice.event) }
        return await carry(receivers.map { Delivery(receiver: $0, notice: notice) }).map(\.record)
    }

    /// Tries every receiver, or those that are named, whichever events they get.
    public func test(_ notice: Notice, names: [String] = []) async -> [RunReport.NoticeRecord] {
        let receivers = job.receivers.filter { names.isEmpty || names.contains($0.name) }
        return await carry(receivers.map { Delivery(receiver: $0, notice: notice) }).map(\.record)
    }
}

/// A notice on its way to one receiver.
struct Delivery: Sendable {
    var receiver: Job.Receiver
    var notice: Notice
    /// The incident that it tells of, if it does.
    var incident: String?
}

struct ToldDelivery: Sendable {
    var delivery: Delivery
    var record: RunReport.NoticeRecord

    init(_ delivery: Delivery, error: (any OperatorError)?) {
        self.delivery = delivery
        record = RunReport.NoticeRecord(
            receiver: delivery.receiver.name, event: delivery.notice.event.rawValue, error: error)
    }
}
