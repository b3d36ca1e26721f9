/// When to measure again what takes longer to measure the more there is: at most a twentieth of the time goes into it.
struct SparingMeasurement: Sendable {
    private var due: ContinuousClock.Instant?

    func isDue(at now: ContinuousClock.Instant) -> Bool { due.map { now >= $0 } ?? true }

    mutating func took(from: ContinuousClock.Instant, to: ContinuousClock.Instant) { due = to + (to - from) * 19 }
}
