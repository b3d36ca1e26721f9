import DumpCore

/// Databases that were frozen together.
struct FrozenGroup: Sendable {
    var databases: [FrozenDatabase]
    var freeze: Freeze

    /// Ends the transactions of all that are still open.
    func close() async { await databases.map(\.open).close() }
}

/// A database whose snapshot is open for as long as its session is.
struct FrozenDatabase: Sendable {
    var open: OpenDatabase
    /// For pg_dump's `--snapshot`.
    var snapshot: String
    /// Which transactions the snapshot sees as committed.
    var visible: String

    /// Whether no transaction that has written anything anywhere on the server has ended since the snapshot was taken.
    ///
    /// - Parameters:
    ///   - control: a session of the same server that is in no transaction.
    ///   - major: of the server.
    func isNewest(by control: Session, major: Int) async throws(DumpError) -> Bool {
        try await control.row("select \(FreezeBarrier.visible(major))::text as visible").text("visible") == visible
    }
}

extension Cluster {
    /// - Parameter isPaused: replay on this standby is paused.
    func freeze(_ open: [OpenDatabase], isPaused: Bool = false) async throws(DumpError) -> FrozenGroup {
        let barrier = FreezeBarrier(
            sessions: open.map(\.session), major: facts.major,
            proof: isPaused ? .pausedReplay : facts.inRecovery ? .none : .equalSnapshots,
            limits: FreezeBarrier.Limits(attempts: settings.freezeAttempts, time: settings.freezeTime))
        let freeze = try await barrier.freeze()
        guard freeze.isExact || settings.consistency != .exact else { throw notExact(freeze, of: open.count) }
        return FrozenGroup(
            databases: open.indices.map { place in
                FrozenDatabase(
                    open: open[place], snapshot: freeze.snapshots[place], visible: freeze.views[place].visible)
            }, freeze: freeze)
    }

    /// Opens a session in one database and freezes that alone.
    func frozen(_ database: ServerFacts.Database) async throws(DumpError) -> (FrozenDatabase, Freeze) {
        let open = try await opener.open(database)
        do {
            let group = try await freeze([open])
            return (group.databases[0], group.freeze)
        } catch {
            await open.session.close()
            throw error
        }
    }

    private func notExact(_ freeze: Freeze, of count: Int) -> DumpError {
        guard !facts.inRecovery else {
            return DumpError(
                .notExact, "\(count) databases of a standby cannot be shown to be frozen at one instant",
                hint: "Set 'standby: {pause_replay: true}', dump the primary, or set 'consistency: best'.")
        }
        return DumpError(
            .notExact, "\(count) databases could not be frozen at one instant in \(freeze.attempts) attempts",
            hint: "Raise 'freeze: attempts' and 'freeze: time', dump when less is written, or set 'consistency: best'.")
    }
}

extension DumpErrorCode {
    /// The parts of the dump are not as of one instant, as they should be.
    static let notExact = DumpError.Code(rawValue: "not_exact")
}
