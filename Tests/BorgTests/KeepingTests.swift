import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("Keeping a repository")
struct KeepingTests {
    private static let time = "2026-11-23T08:01:02Z"
    private static let later = Timestamp("2026-11-24T08:01:02Z")!

    @Test(
        "What a repository holds of a series is told apart from all that only has a name like it",
        arguments: BorgUnderTest.allCases)
    func holdings(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let alike = ArchiveSeries(host: "web1-nightly", job: "2026")
            try await host.plant(at: Host.time)
            try await host.plant(at: Self.later)
            try await host.plant(at: Host.time, name: "web1-nightly2-\(Self.time)")
            try await host.plant(at: Host.time, name: "web1-nightly-before-upgrade", comment: "by hand")
            try await host.plant(at: Host.time, name: "web1-nightly-2026-11-25T08:01:02Z", comment: "by hand")
            try await host.plant(at: Host.time, name: "web1-nightly-2026-11-26T08:01:02Z", series: alike)
            let holdings = try await host.repository().holdings(of: Host.owner)
            #expect(holdings.archives.map(\.name) == ["web1-nightly-2026-11-24T08:01:02Z", Host.archiveName])
            #expect(
                Set(holdings.strangers.map(\.name)) == [
                    "web1-nightly-2026-11-25T08:01:02Z", "web1-nightly-2026-11-26T08:01:02Z",
                ])
            #expect(holdings.checkpoints.isEmpty)

            try await host.repository().delete(holdings.archives)
            #expect(
                try await Set(host.archives()) == [
                    "foreign", "web1-nightly2-\(Self.time)", "web1-nightly-before-upgrade",
                    "web1-nightly-2026-11-25T08:01:02Z", "web1-nightly-2026-11-26T08:01:02Z",
                ])
        }
    }

    @Test(
        "A checkpoint that a killed create has left is ours by its command line, and stale once there is a newer archive",
        arguments: BorgUnderTest.allCases)
    func checkpoints(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            try await host.leaveCheckpoint()
            try await host.plant(at: Host.time, name: "\(Host.archiveName).checkpoint.1", comment: "by hand")
            let repository = host.repository()
            let before = try await repository.holdings(of: Host.owner)
            #expect(before.checkpoints.map(\.name) == ["\(Host.archiveName).checkpoint"])
            #expect(before.staleCheckpoints.isEmpty, "its data need not be sent again")
            #expect(before.archives.isEmpty && before.strangers.isEmpty)

            let tomorrow = Timestamp(milliseconds: Timestamp.now.milliseconds + 86_400_000)
            try await host.plant(at: tomorrow)
            let after = try await repository.holdings(of: Host.owner)
            #expect(after.archives.count == 1)
            #expect(after.staleCheckpoints.map(\.name) == ["\(Host.archiveName).checkpoint"])
            try await repository.delete(after.staleCheckpoints)
            #expect(
                try await Set(host.archives()) == [
                    "foreign", "\(Host.archiveName).checkpoint.1", Host.series.name(at: tomorrow),
                ])
        }
    }

    @Test("An archive that is gone by then is an error, and never passed over", arguments: BorgUnderTest.allCases)
    func gone(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            try await host.plant(at: Host.time)
            let repository = host.repository()
            let archives = try await repository.holdings(of: Host.owner).archives
            try await repository.delete(archives)
            #expect(try await borgError { try await repository.delete(archives) } != nil)
            try await repository.delete([])
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test(
        "Compacting frees what was deleted and says how much; where a repository only grows it says nothing",
        arguments: BorgUnderTest.allCases)
    func compacted(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let repository = host.repository()
            for appendOnly in [false, true] {
                try await host.plantBytes(4 << 20)
                if appendOnly { try await host.borg.borg(["config", "::", "append_only", "1"]) }
                try await repository.delete(try await repository.holdings(of: Host.owner).archives)
                let before = try host.repositoryBytes()
                let freed = try await repository.compact()
                let after = try host.repositoryBytes()
                if appendOnly {
                    #expect(freed == nil)
                    #expect(after >= before)
                } else {
                    #expect((4 << 20..<5 << 20).contains(freed ?? 0), "\(String(describing: freed))")
                    #expect(before - after > 4 << 20)
                }
            }
        }
    }

    @Test(
        "A sound repository passes every kind of check, and a damaged one none: the error says what to do",
        arguments: BorgUnderTest.allCases)
    func checked(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            try await host.plantBytes(1 << 20)
            let repository = host.repository()
            let checks = [RepositoryCheck.full, .data, .part(atMost: .seconds(60))]
            for check in checks { try await repository.check(check) }
            try host.damage()
            for check in checks {
                let error = try await borgError { try await repository.check(check) }
                #expect(error?.code == .damaged)
                #expect(error?.message == "borg check found damage in repository 'offsite'")
                #expect(
                    error?.hint == """
                        The set in the staging area is intact: archive it to another repository. Look at the disk, and copy this \
                        repository before you repair anything: a repair deletes what it cannot read.
                        """)
                #expect(error?.context["borg"]?.contains("Data integrity error") == true)
            }
        }
    }

    @Test("A check that could not be made is no damage", arguments: BorgUnderTest.allCases)
    func uncheckable(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            try await host.whileLocked {
                let error = try await borgError { try await host.repository().check(.full) }
                #expect(error?.code == .locked)
            }
            let fake = try host.borg.fakeBorg("[ $VERB = --version ] || exit 1")
            #expect(
                try await borgError { try await host.repository(program: fake).check(.full) }?.description == """
                    borg check on repository 'offsite' exited with status 1
                      location: \(host.borg.repository)
                    """)
        }
    }

    @Test("A check in part is limited in time, and of segments alone", arguments: BorgUnderTest.allCases)
    func checkInPart(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let words = host.borg.scratch.appending("words")
            let fake = try host.borg.fakeBorg("echo \"$*\" >> \(words)")
            try await host.repository(program: fake).check(.part(atMost: .milliseconds(90_500)))
            #expect(try read(words).contains("check --progress --repository-only --max-duration 90\n"))
        }
    }

    @Test("A check is due when the last one is old enough, and one of all data stands for both")
    func due() {
        let now = Timestamp("2026-11-23T08:00:00Z")!
        func ago(_ hours: Double) -> Timestamp { Timestamp(milliseconds: now.milliseconds - Int64(hours * 3_600_000)) }
        var schedule = CheckSchedule()
        schedule.every = .seconds(86400)
        #expect(schedule.due(lastCheck: nil, lastVerification: nil, at: now) == .full)
        #expect(schedule.due(lastCheck: ago(22), lastVerification: nil, at: now) == nil)
        #expect(schedule.due(lastCheck: ago(23.5), lastVerification: nil, at: now) == .full, "a timer's jitter")
        #expect(schedule.due(lastCheck: ago(-1), lastVerification: nil, at: now) == .full, "noted under another clock")
        schedule.maxDuration = .seconds(60)
        #expect(schedule.due(lastCheck: ago(25), lastVerification: nil, at: now) == .part(atMost: .seconds(60)))
        schedule.verifyData = .seconds(30 * 86400)
        #expect(schedule.due(lastCheck: ago(25), lastVerification: nil, at: now) == .data)
        #expect(schedule.due(lastCheck: ago(1), lastVerification: ago(31 * 24), at: now) == .data)
        #expect(schedule.due(lastCheck: ago(1), lastVerification: ago(29 * 24), at: now) == nil)
    }

    @Test(
        "What Borg says it freed is read in whichever unit",
        arguments: [
            ("compaction freed about 30.00 MB repository space.", 30_000_000),
            ("compaction freed about 0 B repository space.", 0),
            ("compaction freed about 1.50 kB repository space.", 1500),
            ("compaction freed about 2.00 GiB repository space.", 2 << 30),
            ("compaction freed about -3.00 MB repository space.", nil), ("Checked 30.00 MB", nil),
        ] as [(String, Int64?)])
    func freed(text: String, bytes: Int64?) {
        let message = BorgLogLine.Message(level: "INFO", logger: "borg.repository", id: nil, text: text)
        #expect(message.freedBytes == bytes)
    }
}

extension Host {
    /// An archive of the series with so many bytes that no other has.
    fileprivate func plantBytes(_ count: Int) async throws {
        let file = borg.scratch.appending("random")
        try await output("dd", "if=/dev/urandom", "of=\(file)", "bs=1M", "count=\(count >> 20)", "status=none")
        let provenance = Provenance(series: Host.series, runID: RunID(start: .now), manifestSHA256: "00")
        try await borg.borg(["create", "--comment", provenance.comment, "::\(Host.archiveName)", file.string])
    }

    fileprivate func repositoryBytes() throws -> Int64 {
        try FileTree(borg.repository).entries().reduce(0) { $0 + ($1.status.kind == .file ? $1.status.bytes : 0) }
    }

    /// Changes a few bytes in the largest segment.
    fileprivate func damage() throws {
        let largest = try FileTree(borg.repository.appending("data")).entries().filter { $0.status.kind == .file }
            .max { $0.status.bytes < $1.status.bytes }
        let path = borg.repository.appending("data").pushing(try #require(largest).path)
        let segment = try FileDescriptor.open(path, .writeOnly)
        try segment.closeAfter { _ = try segment.writeAll(toAbsoluteOffset: 1000, "damage".utf8) }
    }

    /// A create is killed after its first checkpoint.
    fileprivate func leaveCheckpoint() async throws {
        let endless = borg.scratch.appending("endless")
        try write("", to: endless)
        guard truncate(endless.string, 1 << 40) == 0 else { throw Errno(rawValue: errno) }
        let provenance = Provenance(series: Host.series, runID: RunID(start: Host.time), manifestSHA256: "00")
        let environment = [
            "BORG_REPO": borg.repository.string, "BORG_PASSPHRASE": borg.passphrase, "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
        ].merging(borg.environment) { $1 }
        let create = try Command(
            borg.realProgram,
            [
                "create", "--checkpoint-interval", "1", "--comment", provenance.comment, "::\(Host.archiveName)",
                endless.string,
            ], environment: environment, scratch: borg.scratch)
        defer { create.send(SIGKILL) }
        // Until it ends, a create commits nothing but checkpoints.
        let before = try commits()
        try await eventually { try ![before, []].contains(commits()) }
        create.send(SIGKILL)
        _ = try await create.result()
    }

    /// The files that Borg names by the last commit.
    private func commits() throws -> [FilePath.Component] {
        try FileSystem.names(in: borg.repository).filter { $0.string.hasPrefix("integrity.") }
    }
}
