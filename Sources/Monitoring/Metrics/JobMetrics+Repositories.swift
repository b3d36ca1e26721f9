import DumpCore
import Reporting

extension JobMetrics {
    mutating func add(_ repository: RepositoryHealth, _ history: JobHistory) {
        let name = repository.name
        let attempts = history.attempts(in: name)
        add(.repositoryLastAttempt, attempts.first?.run.startedAt, name)
        add(.repositoryLastAttemptSuccess, attempts.first.map { $0.archive.outcome == .done }, name)
        add(.repositoryLastSuccess, repository.lastConfirmed?.at, name)
        add(.repositoryAlertAfter, repository.ageLimit?.seconds, name)
        add(.repositoryArchives, repository.confirmedArchives, name)
        add(.repositoryLastCheck, repository.lastCheckAt, name)
        add(.repositoryLastDataVerification, repository.lastDataVerificationAt, name)
        guard let good = attempts.first(where: { $0.archive.outcome == .done })?.archive else { return }
        add(.repositoryArchiveDuration, good.durationSeconds, name)
        add(.repositoryConfirmationDuration, good.confirmationSeconds, name)
        add(.repositoryStoredBytes, good.storedBytes, name)
        add(.repositoryUpkeepSuccess, good.upkeep.map { $0.error == nil }, name)
        add(.repositoryFreedBytes, good.upkeep?.freedBytes, name)
    }
}
