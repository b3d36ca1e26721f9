import Documents
import DumpCore
import Jobs
import Reporting
import Staging

extension Notices {
    /// What came of a change, and whether the book could be read.
    private struct Noted<Result: Sendable>: Sendable {
        var result: Result
        var isDamaged: Bool
    }

    /// Writes down what changed, before sending any notice of it. Returns who gets one.
    ///
    /// If nothing can be written, such as on a full disk, all get a notice as if it were the first. Twice is better than never.
    func note(_ changes: [ToldChange]) async -> [Delivery] {
        let now = Timestamp.now
        let take = { @Sendable (book: inout IncidentBook) in changes.flatMap { book.take($0, at: now) } }
        do {
            return try await changingBook(take)
        } catch {
            log.warning(
                "cannot record who knows of an incident: \(error.message)", metadata: ["code": "\(error.codeName)"])
            var empty = IncidentBook()
            return take(&empty)
        }
    }

    func note(_ told: [ToldDelivery]) async {
        let reached = told.filter { $0.record.reached && $0.delivery.incident != nil }.map(\.delivery)
        guard !reached.isEmpty else { return }
        do {
            try await changingBook { book in for delivery in reached { book.note(delivery) } }
        } catch {
            log.warning(
                "cannot record who knows of an incident: \(error.message)", metadata: ["code": "\(error.codeName)"])
        }
    }

    /// Whether something goes wrong that has this key, or one below it, such as `drill/offsite` below `drill`.
    public func isOpen(_ key: String) async -> Bool {
        let job = job.name
        let open = try? await changingBook { book in
            book.incidents.contains { incident in
                incident.job == job && incident.endedAt == nil
                    && (incident.key == key || incident.key.hasPrefix("\(key)/"))
            }
        }
        return open ?? false
    }

    private func changingBook<Result: Sendable>(
        _ change: @escaping @Sendable (inout IncidentBook) -> Result
    ) async throws(StagingError) -> Result {
        let area = try await StagingArea.open(job.staging)
        let noted = try await area.changeIncidents { bytes in
            let known = bytes.flatMap { bytes in try? SnakeCaseJSON.decode(IncidentBook.self, from: bytes) }
            let isDamaged = bytes != nil && known == nil
            var book = known ?? IncidentBook()
            let result = change(&book)
            let isKept = book == known ?? IncidentBook() && !isDamaged
            return (isKept ? nil : book, Noted(result: result, isDamaged: isDamaged))
        }
        if noted.isDamaged {
            log.warning(
                "\(area.incidentsFile) cannot be understood: receivers may be notified again of what they know",
                metadata: ["code": "damaged_record"])
        }
        return noted.result
    }
}
