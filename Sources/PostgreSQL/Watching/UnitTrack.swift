import DumpCore

/// What was seen of a running unit so far, and what follows from it.
struct UnitTrack: Sendable {
    /// What its tables are expected to take; nil as long as it is not known.
    var sizes: [TableID: TableSize]?
    /// For how long nothing has moved.
    private(set) var stillFor = Duration.zero
    private let estimatedBytes: Int64
    /// By process id.
    private var copying: [Int64: DumpBackend.Copy] = [:]
    /// Tables whose COPY has ended, as far as it was seen. A short one may not have been seen at all.
    private var copied: [TableID: Int64] = [:]
    private var waitsForLock = false
    private var mark = Mark()
    private var lastLook: ContinuousClock.Instant
    /// For how long nothing may have moved at most by a single look.
    private let longestLook: Duration

    /// What must change for a unit not to stand still: bytes on the server, bytes on disk, or the statement. While pg_dump reads the
    /// catalog, it has no bytes to show, and only the statement changes.
    private struct Mark: Equatable {
        var copiedBytes: Int64 = 0
        var stagedBytes: Int64 = 0
        var statementStart: String?
    }

    /// - Parameter limit: for how long nothing may move.
    init(of unit: WorkUnit, at now: ContinuousClock.Instant, limit: Duration? = nil) {
        estimatedBytes = unit.estimatedBytes
        longestLook = min(.seconds(60), limit.map { $0 / 4 } ?? .seconds(60))
        lastLook = now
    }

    /// - Parameter backends: the unit's sessions; none when the server could not be asked.
    mutating func note(_ backends: [DumpBackend], stagedBytes: Int64, at now: ContinuousClock.Instant) {
        let before = copying
        copying = backends.reduce(into: [:]) { if let copy = $1.copy { $0[$1.pid] = copy } }
        for (pid, copy) in before {
            let isSame = copying[pid].map { $0.table == copy.table && $0.bytes >= copy.bytes } ?? false
            if !isSame { copied[copy.table, default: 0] += copy.bytes }
        }
        waitsForLock = backends.contains { $0.waitsForLock }
        let new = Mark(
            copiedBytes: copiedBytes, stagedBytes: stagedBytes,
            statementStart: backends.compactMap(\.statementStart).max())
        // While this host or this process was stopped nothing could be seen to move: it takes several looks to stand still.
        stillFor = new == mark ? stillFor + min(now - lastLook, longestLook) : .zero
        mark = new
        lastLook = now
    }

    var progress: UnitProgress {
        // What is staged has tables that were copied between two looks; what the server has handed out may not have arrived yet.
        let bytes = max(copiedBytes, mark.stagedBytes)
        return UnitProgress(bytes: bytes, expectedBytes: max(expectedBytes, bytes), detail: detail)
    }

    private var copiedBytes: Int64 {
        copied.values.total.plus(copying.values.lazy.map(\.bytes).total)
    }

    /// Tables as they lie on the server, each corrected by what its COPY came to: text is longer or shorter than rows on disk.
    private var expectedBytes: Int64 {
        guard let sizes else { return estimatedBytes }
        let running = copying.values.reduce(into: [:]) { $0[$1.table] = $1.bytes }
        return sizes.reduce(0) { sum, table in
            if let bytes = running[table.key] { return sum.plus(max(bytes, table.value.bytes)) }
            return sum.plus(copied[table.key] ?? table.value.bytes)
        }
    }

    private var detail: String? {
        let names = copying.values.compactMap { sizes?[$0.table]?.name }.sorted()
        guard let first = names.first else { return waitsForLock ? "waiting for a lock" : nil }
        return names.count == 1 ? first : "\(first) and \(names.count - 1) more"
    }
}
