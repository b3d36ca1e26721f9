import Borg
import Checksums
import Documents
import DumpCore
import Glibc
import Linux
import Logging
import Processes
import Staging
import SystemPackage
import TestSupport
import Testing

/// A host with a set to archive and a repository for it.
struct Host: Sendable {
    let borg: BorgFixture
    let runner = ProgramRunner(keeper: keeperExecutable, log: Host.log)
    var current: FilePath { borg.scratch.appending("current") }

    static let log = Logger.silent
    static let time = Timestamp("2026-11-23T08:01:02Z")!
    static let series = ArchiveSeries(host: "web1", job: "nightly")
    static let owner = ArchiveOwner(names: [series])
    /// What the archive of `time` is called.
    static let archiveName = "web1-nightly-2026-11-23T08:01:02Z"

    static func with(_ version: BorgUnderTest, _ body: (Host) async throws -> Void) async throws {
        try await BorgFixture.with(version) { borg in
            let host = Host(borg: borg)
            try FileSystem.createDirectory(host.current)
            try FileSystem.createDirectory(borg.scratch.appending("incoming"))
            try await body(host)
        }
    }

    /// With a repository that holds an archive of somebody else's.
    static func withRepository(_ version: BorgUnderTest, _ body: (Host) async throws -> Void) async throws {
        try await with(version) { host in
            try await host.borg.makeRepository()
            try await body(host)
        }
    }

    func repository(
        program: FilePath? = nil, passphrase: String? = nil, home: FilePath? = nil,
        _ change: (inout RepositorySettings) -> Void = { _ in }
    ) -> BorgRepository {
        var settings = RepositorySettings()
        settings.location = borg.repository.string
        settings.program = (program ?? borg.program).string
        settings.lockWait = .seconds(1)
        change(&settings)
        return BorgRepository(
            name: "offsite", settings: settings, passphrase: Secret(passphrase ?? borg.passphrase),
            environment: borg.environment.merging(home.map { ["BORG_BASE_DIR": $0.string] } ?? [:]) { $1 },
            runner: runner, log: Self.log)
    }

    /// Writes files into `current`, a manifest last, and takes all that is there for a sealed set.
    func seal(_ files: [FilePath: String] = ["app/globals.sql": "-- roles", "app/databases/shop/toc.dat": "toc"]) throws
        -> SealedSet
    {
        for (path, text) in files {
            try makeDirectories(for: path)
            try write(text, to: current.pushing(path))
            // Old: Borg remembers no file that is as new as the newest.
            try setModified(current.pushing(path), secondsAgo: 100)
        }
        let manifest = Self.manifest()
        let bytes = try SnakeCaseJSON.encode(manifest)
        try write(String(decoding: bytes, as: UTF8.self), to: current.appending("manifest.json"))
        return try set(manifest, sha256(of: bytes))
    }

    private func set(_ manifest: Manifest, _ digest: String) throws -> SealedSet {
        let files = try FileTree(current).entries().count { $0.status.kind == .file }
        return SealedSet(root: current, manifest: manifest, manifestSHA256: digest, files: files)
    }

    static func manifest() -> Manifest {
        let dump = Manifest.DumpRecord(
            name: "app", provider: "test", path: "app", identity: [:], moment: Moment(.exact, from: time, to: time),
            durationSeconds: 0, bytes: 0, files: 0, findings: [], omissions: [],
            checksums: .init(path: "checksums/app.sha256", sha256: String(repeating: "0", count: 64)), databases: [])
        return Manifest(
            tool: .init(name: "muster", version: "1"), job: series.job, runID: RunID("20261123T080000Z-5f3a")!,
            host: series.host, startedAt: time, endedAt: time, freeze: .init(from: time, to: time), dumps: [dump])
    }

    private func makeDirectories(for path: FilePath) throws {
        var directory = current
        for component in path.removingLastComponent().components {
            directory.append(component)
            if access(directory.string, F_OK) != 0 { try FileSystem.createDirectory(directory) }
        }
    }

    func setModified(_ path: FilePath, secondsAgo: Int) throws {
        var times = [timespec(), timespec()]
        clock_gettime(CLOCK_REALTIME, &times[0])
        times[0].tv_sec -= secondsAgo
        times[1] = times[0]
        guard utimensat(AT_FDCWD, path.string, times, 0) == 0 else { throw Errno(rawValue: errno) }
    }
}

/// The error of Borg's that `body` throws, or nil.
func borgError(_ body: () async throws -> Void) async throws -> BorgError? {
    do {
        try await body()
        return nil
    } catch let error as BorgError {
        return error
    }
}

extension Host {
    func archives() async throws -> [String] { try await borg.archiveNames() }

    /// Has another Borg hold the repository's lock meanwhile.
    func whileLocked(_ body: () async throws -> Void) async throws {
        let locked = borg.scratch.appending("locked")
        let (runner, program, repository, environment) = (runner, borg.realProgram, borg.repository, borg.environment)
        let holder = Task {
            try await runner.run(
                Program(
                    program, ["with-lock", repository.string, "sh", "-c", "touch \(locked); exec sleep 1000"],
                    environment: environment, grace: .seconds(60)))
        }
        defer { holder.cancel() }
        try await eventually { Executables.exists(locked) }
        try await body()
        holder.cancel()
        // It was cancelled: what it throws says that.
        _ = try? await holder.value
    }
}

func makeDirectory(_ path: FilePath) throws { try FileSystem.createDirectory(path) }

extension Executables {
    fileprivate static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }
}

extension BorgRepository {
    /// An archive that is begun at `time`, of a set that nobody else archives.
    func create(
        _ set: SealedSet, at time: Timestamp = .now, by job: JobID? = nil, knowing cache: FilesCache? = nil,
        onProgress: @escaping @Sendable (ArchiveProgress) -> Void = { _ in },
        stillGood: () async throws(DumpError) -> Void = {}
    ) async throws(BorgError) -> ConfirmedArchive {
        try await create(
            set, as: BegunArchive(of: set, at: time, by: job), knowing: cache, onProgress: onProgress,
            stillGood: stillGood)
    }
}
