import DumpCore
import Jobs

/// Something that goes wrong from now on, or that goes well again.
public struct IncidentChange: Sendable {
    public enum Kind: Sendable { case opened, ended }

    public var kind: Kind
    /// Names the incident within its job, such as `run` or `drill/offsite`.
    public var key: String
    /// What its notices say, the event aside.
    public var notice: Notice
    /// For an incident that opens: the commands whose success ends it. Nil: any success that has its key.
    public var endedBy: [String]?

    public init(_ kind: Kind, _ key: String, _ notice: Notice, endedBy: [String]? = nil) {
        (self.kind, self.key, self.notice, self.endedBy) = (kind, key, notice, endedBy)
        self.notice.event = kind == .opened ? .failure : .recovery
    }
}

/// A change together with the receivers that get it.
struct ToldChange: Sendable {
    var change: IncidentChange
    /// The receivers of the topic, in the order of the job file. The others get nothing.
    var receivers: [Job.Receiver]
}

extension IncidentChange {
    func told(by job: Job) -> ToldChange {
        ToldChange(
            change: self, receivers: job.receivers.filter { !$0.hearsOfEachRun && $0.hears(of: notice.topic) })
    }
}

/// The incidents of a job, as `incidents.json` keeps them.
struct IncidentBook: Sendable, Codable, Equatable {
    struct Incident: Sendable, Codable, Equatable {
        var job: String
        var key: String
        var openedAt: Timestamp
        /// Nil while it is open. Kept after its end for receivers that do not know that yet.
        var endedAt: Timestamp?
        var endedBy: [String]?
        /// The receivers who know about it, and not yet that it has ended.
        var told: [String] = []
    }

    var formatVersion = 1
    var incidents: [Incident] = []
}

extension IncidentBook {
    /// Takes note of a change. Returns who gets which notice.
    mutating func take(_ told: ToldChange, at time: Timestamp) -> [Delivery] {
        switch told.change.kind {
        case .opened: open(told, at: time)
        case .ended: end(told, at: time)
        }
    }

    /// An open one stays open: receivers that know about it get nothing. After its end it is another one.
    private mutating func open(_ told: ToldChange, at time: Timestamp) -> [Delivery] {
        let change = told.change
        let (job, key) = (change.notice.job, change.key)
        if place(of: key, of: job).map({ incidents[$0].endedAt != nil }) ?? true {
            incidents.removeAll { ($0.job, $0.key) == (job, key) }
            incidents.append(Incident(job: job, key: key, openedAt: time))
        }
        guard let place = place(of: key, of: job) else { return [] }
        incidents[place].endedBy = change.endedBy
        // A receiver that gets no failures may still want to know of the end.
        let indifferent = told.receivers.filter { !$0.hears(.failure) && $0.hears(.recovery) }.map(\.name)
        incidents[place].add(indifferent)
        let known = incidents[place].told
        return told.receivers.filter { $0.hears(.failure) && !known.contains($0.name) }.map {
            Delivery(receiver: $0, notice: change.notice, incident: key)
        }
    }

    private mutating func end(_ told: ToldChange, at time: Timestamp) -> [Delivery] {
        var notice = told.change.notice
        guard let place = place(of: told.change.key, of: notice.job) else { return [] }
        let incident = incidents[place]
        guard incident.endedBy?.contains(notice.command) ?? true else { return [] }
        incidents[place].endedAt = incident.endedAt ?? time
        notice.text = [notice.text, "It went wrong first at \(incident.openedAt)."].filter { !$0.isEmpty }.joined(
            separator: "\n")
        let due = told.receivers.filter { $0.hears(.recovery) && incident.told.contains($0.name) }
        // Receivers that are no longer in the job file, or want no recovery, wait for nothing.
        incidents[place].told = due.map(\.name)
        removeSettled()
        return due.map { Delivery(receiver: $0, notice: notice, incident: told.change.key) }
    }

    /// Notes that a receiver knows of the start of an incident, or of its end.
    mutating func note(_ delivery: Delivery) {
        guard let key = delivery.incident, let place = place(of: key, of: delivery.notice.job) else { return }
        if delivery.notice.event == .failure {
            incidents[place].add([delivery.receiver.name])
        } else {
            incidents[place].told.removeAll { $0 == delivery.receiver.name }
            removeSettled()
        }
    }

    func isOpen(_ key: String, of job: String) -> Bool {
        place(of: key, of: job).map { incidents[$0].endedAt == nil } ?? false
    }

    private mutating func removeSettled() { incidents.removeAll { $0.endedAt != nil && $0.told.isEmpty } }

    private func place(of key: String, of job: String) -> Int? {
        incidents.firstIndex { ($0.job, $0.key) == (job, key) }
    }
}

extension IncidentBook.Incident {
    fileprivate mutating func add(_ names: [String]) { told += names.filter { !told.contains($0) } }
}
