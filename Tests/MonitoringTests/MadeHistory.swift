import Borg
import DumpCore
import SystemPackage

@testable import Catalog
@testable import Directories
@testable import Jobs
@testable import Monitoring
@testable import Reporting
@testable import Restoring

/// What a job of any past could have on record: gaps, killed runs, clocks that were set back, databases of any name.
struct MadeHistory {
    private(set) var records: JobRecords
    private(set) var contents: SetContents?

    static let tool = Manifest.Tool(name: "muster", version: "1.2.3")
    /// What databases have been called.
    static let names = [
        "shop", "sh\"op", "sh\\op", "sh\\", "\"", "<b>shop</b>", "two\nlines", "carriage\r\nreturn", "tab\t", "ümläut",
        "{a=\"b\"} 1",
        "# HELP", "percent%d", "", "\u{202E}evil", "emoji 🐘",
    ]

    var health: JobHealth { JobHealth(records) }
    var metrics: JobMetrics { JobMetrics(records, health, contents: contents, tool: Self.tool) }

    init(job name: String, databases: Int? = nil, by random: inout Seeded) {
        let dumps = ["app", "files", "mail"].prefix(.random(in: 1...3, using: &random)).map {
            Job.Dump(name: $0, kind: .directory, settings: DirectorySettings())
        }
        let repositories = ["local", "offsite"].prefix(.random(in: 0...2, using: &random)).map {
            Job.Repository(name: $0, settings: RepositorySettings())
        }
        var job = Job(
            name: name, file: "/etc/muster/x.yaml", staging: "/nowhere", dumps: dumps, repositories: repositories)
        if Bool.random(using: &random) { job.alertAfter = .seconds(93_600) }
        var runs: [RunReport] = []
        var time: Int64 = 1_700_000_000_000
        for _ in 0..<Int.random(in: 0...30, using: &random) {
            // Mostly a day, sometimes a week, sometimes back.
            time += [86_400_000, 86_400_000, 604_800_123, -3_600_000].randomElement(using: &random)!
            runs.insert(Self.run(of: job, at: Timestamp(milliseconds: time), &random), at: 0)
        }
        if !runs.isEmpty, Int.random(in: 0..<4, using: &random) == 0 { runs[0].outcome = .running }
        records = JobRecords(job: job, status: JobStatus(job: name, staging: "/nowhere", runs: runs))
        records.ledgers = Self.ledgers(of: job, runs)
        records.drills = Self.drills(of: job, after: time, &random)
        contents = runs.first { $0.publishedAt != nil }.map {
            Self.contents(of: job, $0, databases: databases ?? .random(in: 0...5, using: &random), &random)
        }
    }

    private static func run(of job: Job, at start: Timestamp, _ random: inout Seeded) -> RunReport {
        var run = RunReport(
            tool: tool, command: "run", job: job.name, runID: RunID(start: start), host: "here", startedAt: start)
        run.endedAt = Timestamp(milliseconds: start.milliseconds + .random(in: 0...9_000_000, using: &random))
        run.outcome = [.done, .done, .done, .failed, .interrupted, .noResult].randomElement(using: &random)!
        run.exitStatus =
            run.outcome == .noResult ? nil : run.outcome == .done ? 0 : [3, 4].randomElement(using: &random)!
        if Bool.random(using: &random) {
            run.stages = .init()
            run.stages?.prepareSeconds = .random(in: 0...100, using: &random)
            if run.outcome == .done { run.stages?.archiveSeconds = 12.345 }
        }
        run.dumps = job.dumps.map { dump(of: $0.name, of: run, &random) }
        if run.outcome == .done || run.exitStatus == 4 {
            run.publishedAt = run.endedAt
            run.set = .init(
                path: "/nowhere/current", runID: run.runID, bytes: run.dumps.compactMap(\.bytes).reduce(0, +),
                files: .random(in: 1...1_000_000, using: &random), reusedFiles: 1, reusedBytes: 7)
        }
        if run.publishedAt != nil { run.archives = job.repositories.map { archive(in: $0.name, of: run, &random) } }
        return run
    }

    private static func dump(of name: String, of run: RunReport, _ random: inout Seeded) -> RunReport.DumpRecord {
        var dump = RunReport.DumpRecord(
            name: name, provider: "directory", outcome: run.outcome == .done || run.exitStatus == 4 ? .done : .failed,
            durationSeconds: .random(in: 0...10_000, using: &random),
            findings: [
                Finding(.warning, "size_shrank", object: name, "smaller"),
                Finding(.note, "a_note", object: name, "note"),
            ],
            omissions: (0..<Int.random(in: 0...3, using: &random)).map {
                Finding([.note, .warning].randomElement(using: &random)!, "excluded", object: "\($0)", "left out")
            })
        guard dump.outcome == .done else { return dump }
        dump.bytes = .random(in: 0...(1 << 52), using: &random)
        dump.files = .random(in: 0...10_000_000, using: &random)
        dump.moment = Moment(
            [.exact, .window, .live].randomElement(using: &random)!, from: run.startedAt,
            to: Timestamp(milliseconds: run.startedAt.milliseconds + 1234),
            evidence: Bool.random(using: &random) ? ["replay_paused_seconds": "12.500"] : [:])
        return dump
    }

    private static func archive(
        in repository: String, of run: RunReport, _ random: inout Seeded
    ) -> RunReport.ArchiveRecord {
        var archive = RunReport.ArchiveRecord(
            repository: repository, outcome: run.outcome == .done ? .done : .failed,
            durationSeconds: .random(in: 0...1000, using: &random))
        guard archive.outcome == .done else { return archive }
        archive.storedBytes = .random(in: 0...1_000_000_000, using: &random)
        archive.confirmationSeconds = .random(in: 0...10, using: &random)
        if Bool.random(using: &random) {
            archive.upkeep = .init()
            archive.upkeep?.freedBytes = 4711
        }
        return archive
    }

    private static func ledgers(of job: Job, _ runs: [RunReport]) -> [String: RepositoryLedger] {
        var ledgers: [String: RepositoryLedger] = [:]
        for repository in job.repositories {
            var ledger = RepositoryLedger()
            for (number, run) in runs.reversed().filter({ $0.outcome == .done }).enumerated() {
                ledger.confirmed.append(
                    .init(
                        archive: "a\(number)", id: "\(number)", runID: run.runID, confirmedAt: run.endedAt,
                        number: number + 1))
                ledger.lastCheckAt = run.startedAt
            }
            ledgers[repository.name] = ledger
        }
        return ledgers
    }

    private static func drills(of job: Job, after time: Int64, _ random: inout Seeded) -> [DrillRecord] {
        (0..<Int.random(in: 0...3, using: &random)).map { number in
            let start = Timestamp(milliseconds: time + Int64(number) * 1_000_000)
            var drill = DrillRecord(
                runID: RunID(start: start), startedAt: start, job: job.name,
                origin: RestoreOrigin(set: "/nowhere", runID: RunID(start: start)), manifestSHA256: "", tool: tool)
            drill.endedAt = Timestamp(milliseconds: start.milliseconds + .random(in: 1...999_999, using: &random))
            drill.outcome = [.proven, .sampled, .failed].randomElement(using: &random)!
            drill.dumps = job.dumps.map { .init(name: $0.name, provider: "directory", durationSeconds: 1.5) }
            return drill
        }
    }

    private static func contents(
        of job: Job, _ run: RunReport, databases: Int, _ random: inout Seeded
    ) -> SetContents {
        let names = (0..<databases).map { $0 < Self.names.count ? Self.names[$0] : "database \($0)" }
        let dumps = run.dumps.enumerated().map { number, dump in
            Manifest.DumpRecord(
                name: dump.name, provider: dump.provider, path: dump.name, identity: [:],
                moment: dump.moment ?? Moment(.live, from: run.startedAt, to: run.endedAt), durationSeconds: 1,
                bytes: 1, files: 1, findings: [], omissions: [], checksums: .init(path: "", sha256: ""),
                databases: number > 0
                    ? []
                    : names.map { name in
                        DatabaseContents(
                            name: name, path: "",
                            tables: (0..<Int.random(in: 0...4, using: &random)).map {
                                TableContents(
                                    schema: "public", name: "t\($0)",
                                    rows: .random(in: 0...1_000_000_000, using: &random))
                            })
                    })
        }
        var contents = SetContents(
            Manifest(
                tool: tool, job: job.name, runID: run.runID, host: "here", startedAt: run.startedAt,
                endedAt: run.endedAt, freeze: .init(from: run.startedAt, to: run.endedAt), dumps: dumps))
        if let first = dumps.first {
            contents.databaseBytes[first.name] = Dictionary(
                first.databases.map { ($0.name, .random(in: 0...1_000_000_000_000, using: &random)) }
            ) { first, _ in first }
        }
        return contents
    }
}

/// The same numbers for the same seed: SplitMix64.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
