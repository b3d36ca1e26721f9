import DumpCore
import Linux
import SystemPackage

/// Follows the running units of one dump: tells how far they are, and stops one that stands still.
///
/// Looks at the server through one session of its own, and at what is staged. Without the server (an old one, a broken session,
/// a view we may not read) it goes on by what is staged. Nothing that goes wrong here fails a dump.
actor ServerWatch {
    let cluster: Cluster
    /// In no transaction; other questions are asked of it too.
    let control: Session
    let run: RunContext
    var units: [Int: Watched] = [:]
    var session: Session?
    /// The server could not be asked, and will not be asked again for progress.
    var isBlind = false

    struct Watched {
        var followed: FollowedUnit
        var track: UnitTrack
        /// Without sizes there is no second attempt to get them.
        var askedForSizes = false
        var stall: DumpError?
        var cancel: @Sendable () -> Void
    }

    /// Between two looks, unless they take long themselves.
    private static let pause = Duration.seconds(1)

    private init(_ cluster: Cluster, _ control: Session, in run: RunContext) {
        self.cluster = cluster
        self.control = control
        self.run = run
    }

    /// Watches for as long as `body` runs.
    static func during<Result: Sendable>(
        _ cluster: Cluster, control: Session, in run: RunContext,
        _ body: (ServerWatch) async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let watch = ServerWatch(cluster, control, in: run)
        let looking = Task { await watch.look() }
        let outcome = await Swift.Result.awaiting { () async throws(DumpError) in try await body(watch) }
        looking.cancel()
        await looking.value
        return try outcome.get()
    }

    /// Runs the program that dumps a unit. When the unit stalls, the program is stopped, and the error says what it waited for.
    func following<Result: Sendable>(
        _ followed: FollowedUnit, _ work: @escaping @Sendable () async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let task = Task { await Swift.Result.awaiting(work) }
        units[followed.number] = Watched(
            followed: followed,
            track: UnitTrack(of: followed.unit, at: .now, limit: cluster.settings.stallTimeout),
            cancel: { task.cancel() })
        run.log.debug(
            "program's name on the server",
            metadata: ["application_name": "\(followed.applicationName)", "unit": "\(followed.unit.name)"])
        let outcome = await task.cancellableValue
        let stall = units.removeValue(forKey: followed.number)?.stall
        if case .failure(let error) = outcome, error.code == .cancelled, let stall { throw stall }
        return try outcome.get()
    }

    private func look() async {
        var pause = Self.pause
        while !Task.isCancelled {
            // Cancelled while asleep: the loop's condition says so.
            try? await Task.sleep(for: pause)
            guard !units.isEmpty, !Task.isCancelled else { continue }
            let began = ContinuousClock.now
            await lookOnce()
            // A dump of very many files takes its time to add up: that must not become what the machine does.
            pause = max(Self.pause, (ContinuousClock.now - began) * 10)
        }
        await session?.close()
    }

    private func lookOnce() async {
        await learnSizes()
        let backends = await backends()
        let paths = units.mapValues(\.followed.path)
        let staged = await onOwnThread { paths.mapValues { FileTree($0).bytes() } }
        guard !Task.isCancelled else { return }
        for (number, bytes) in staged {
            guard let name = units[number]?.followed.applicationName else { continue }
            units[number]?.track.note(
                backends.filter { $0.applicationName == name }, stagedBytes: bytes, at: .now)
        }
        for unit in units.values.sorted(by: { $0.followed.number < $1.followed.number }) {
            await run.progress.moved(unit.followed.unit, of: run.dump, to: unit.track.progress)
            await stopIfStalled(unit)
        }
    }

    private func stopIfStalled(_ unit: Watched) async {
        guard let limit = cluster.settings.stallTimeout, unit.stall == nil, unit.track.stillFor >= limit else { return }
        let stall = await StallReport.error(of: unit.followed, after: limit, sessions: diagnosisSession)
        // It may have ended while we asked.
        guard units[unit.followed.number] != nil, !Task.isCancelled else { return }
        run.log.warning(
            "\(stall.message)",
            metadata: stall.context.reduce(into: ["dump": "\(run.dump)"]) { $0[$1.name] = "\($1.value)" })
        units[unit.followed.number]?.stall = stall
        unit.cancel()
    }
}
