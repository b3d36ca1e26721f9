import CFaults
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Publishing a set")
struct PublishTests {
    @Test("The newest set is current, the one before is previous, the one before that is gone")
    func generations() async throws {
        try await withArea { area in
            #expect(try await area.currentSet() == nil)
            for number in 1...3 {
                let set = try await area.takeSet(["app": ["x": "\(number)"]], run: .numbered(number)).set
                let current = try #require(try await area.currentSet())
                #expect(current.root == area.current && current.manifest == set.manifest)
                #expect(current.manifestSHA256 == set.manifestSHA256 && current.files == set.files)
                #expect(try await area.faithfulRun(at: area.current) == .numbered(number))
                #expect(
                    try await area.faithfulRun(at: area.previous) == (number == 1 ? nil : .numbered(number - 1)))
                #expect(try area.incomingNames == [] && area.journalNames == [])
            }
        }
    }

    @Test("A reader of the old set is not cut off by the next")
    func reader() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            let directory = try FileDescriptor.open(area.current, .readOnly, options: .directory)
            defer { try? directory.close() }
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            #expect(try read(FilePath("/proc/self/fd/\(directory.rawValue)/app/x")) == "1")
        }
    }

    @Test(
        "Killed at any point, current is a complete set, and the next run finds its way", arguments: KillPoint.allCases)
    func killed(at point: KillPoint) async throws {
        try await withArea { area in
            let scratch = area.root.removingLastComponent()
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            let killer = try StoppedProcess(scratch: scratch) { kill($0, SIGKILL) }
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [
                    root = area.root.string as String, point = point.rawValue as String
                ] in
                let area = try await StagingArea.open(FilePath(root))
                try stopThisProcess(at: point, scratch: area.root.removingLastComponent().string)
                try await area.takeSet(["app": ["x": "3"]], run: .numbered(3))
            }
            try killer.finish()

            #expect(try await area.faithfulRun(at: area.current) == .numbered(point.isPublished ? 3 : 2))
            let lock = try await area.lock(for: .numbered(4), command: "test")
            let dead = area.root.appending("incoming/\(RunID.numbered(3))")
            #expect(
                try await lock.removeLeftovers() == (point == .exchanged ? [.keptAsPrevious(dead)] : [.removed(dead)]))
            #expect(try await lock.removeLeftovers() == [])
            lock.release()
            #expect(try await area.faithfulRun(at: area.current) == .numbered(point.isPublished ? 3 : 2))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(point.isPublished ? 2 : 1))
            try await area.takeSet(["app": ["x": "4"]], run: .numbered(4))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(4))
            #expect(try area.incomingNames == [] && area.journalNames == [])
        }
    }

    enum KillPoint: String, CaseIterable {
        case hashed = "seal.hashed"
        case checksums = "seal.checksums"
        case manifest = "seal.manifest"
        case before = "publish.before"
        case exchanged = "publish.exchanged"
        case previous = "publish.previous"

        var isPublished: Bool { self == .exchanged || self == .previous }
    }

    @Test(
        "Killed while the first set is published, there is none or a complete one",
        arguments: ["publish.before", "publish.exchanged"])
    func firstKilled(at point: String) async throws {
        try await withArea { area in
            let scratch = area.root.removingLastComponent()
            let killer = try StoppedProcess(scratch: scratch) { kill($0, SIGKILL) }
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = area.root.string as String, point] in
                let area = try await StagingArea.open(FilePath(root))
                try stopThisProcess(at: point, scratch: area.root.removingLastComponent().string)
                try await area.takeSet(["app": ["x": "1"]])
            }
            try killer.finish()
            #expect(try await area.faithfulRun(at: area.current) == (point == "publish.before" ? nil : .numbered(1)))
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }
}

@Suite("A publication that fails half way")
struct ShortfallTests {
    @Test(
        "After the exchange the new set is current whatever fails, and discarding it takes nothing away",
        arguments: Fault.allCases)
    func published(fault: Fault) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            await #expect(processExitsWith: .success) {
                [root = area.root.string as String, fault = fault.rawValue as String] in
                let area = try await StagingArea.open(FilePath(root))
                try await area.withIncoming(.numbered(2)) { incoming in
                    let unpublished = try await incoming.fillAndSeal(["app": ["x": "2"]])
                    #expect(Fault(rawValue: fault)!.begin() == 0)
                    let published = try await unpublished.publish()
                    #expect(published.set.manifest.runID == .numbered(2))
                    #expect((published.shortfall.notOnDisk == nil) == (fault != "flush"))
                    #expect(published.shortfall.notKept != nil)
                    try await incoming.discard()
                }
                #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            try await area.takeSet(["app": ["x": "3"]], run: .numbered(3))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(3))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(2))
            #expect(try area.incomingNames == [] && area.journalNames == [])
        }
    }

    enum Fault: String, CaseIterable {
        case flush, secondRename

        func begin() -> Int32 {
            switch self {
            case .flush: cfaults_fail_fsync(EIO)
            case .secondRename: cfaults_fail_plain_rename(EIO)
            }
        }
    }

    @Test("Where previous cannot be replaced, as when it is a mount point, every run publishes all the same")
    func mountPoint() async throws {
        try await withTmpfs(size: "4m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            try FileSystem.createDirectory(area.previous)
            try await withMount(["-t", "tmpfs", "tmpfs"], at: area.previous) { _ in
                for number in 2...4 {
                    try await area.takeSet(["app": ["x": "\(number)"]], run: .numbered(number))
                    #expect(try await area.faithfulRun(at: area.current) == .numbered(number))
                }
            }
        }
    }

    @Test("A publication that fails before the exchange leaves the old set, and the new one is discarded")
    func unpublished() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                let area = try await StagingArea.open(FilePath(root))
                try await area.withIncoming(.numbered(2)) { incoming in
                    let unpublished = try await incoming.fillAndSeal(["app": ["x": "2"]])
                    #expect(cfaults_fail_rename_with_flags(EIO) == 0)
                    await #expect(throws: StagingError.self) { try await unpublished.publish() }
                    try await incoming.discard()
                }
                #expect(try area.incomingNames == [])
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }
}

@Suite("Publishing where names cannot be exchanged")
struct FallbackTests {
    @Test("Sets follow each other as they do elsewhere", arguments: [EINVAL, ENOSYS])
    func generations(error: Int32) async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String, error] in
                #expect(cfaults_fail_rename_with_flags(error) == 0)
                #expect(throws: Errno(rawValue: error)) { try FileSystem.exchange("/tmp", "/usr") }
                let area = try await StagingArea.open(FilePath(root))
                for number in 1...4 {
                    try await area.takeSet(["app": ["x": "\(number)"]], run: .numbered(number))
                    #expect(try await area.faithfulRun(at: area.current) == .numbered(number))
                    #expect(
                        try await area.faithfulRun(at: area.previous) == (number == 1 ? nil : .numbered(number - 1)))
                    #expect(try area.incomingNames == [])
                    #expect(try area.journalNames == [])
                }
            }
        }
    }

    @Test("Killed between the two steps, the publication is completed at the next start", arguments: [true, false])
    func killed(canExchangeLater: Bool) async throws {
        try await withArea { area in
            try await killBetweenSteps(area)
            await #expect(processExitsWith: .success) { [root = area.root.string as String, canExchangeLater] in
                if !canExchangeLater { #expect(cfaults_fail_rename_with_flags(EINVAL) == 0) }
                let area = try await StagingArea.open(FilePath(root))
                let lock = try await area.lock(for: .numbered(4), command: "test")
                #expect(try await lock.removeLeftovers() == [.publicationCompleted(.numbered(3))])
                lock.release()
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(3))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(2))
            #expect(try area.incomingNames == [] && area.journalNames == [])
        }
    }

    @Test(
        "Killed between the two steps, with a new set that is gone or no set any more, the old one is current again",
        arguments: [true, false])
    func undone(isGone: Bool) async throws {
        try await withArea { area in
            try await killBetweenSteps(area)
            let new = area.root.appending("incoming/\(RunID.numbered(3))")
            try isGone ? FileTree(new).remove() : FileTree(new.appending("manifest.json")).remove()
            let lock = try await area.lock(for: .numbered(4), command: "test")
            let done = try await lock.removeLeftovers()
            #expect(done == [.publicationUndone(.numbered(3))] + (isGone ? [] : [.removed(new)]))
            lock.release()
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(1))
            #expect(try area.incomingNames == [] && area.journalNames == [])
        }
    }

    @Test("A publication whose sets have both been taken away keeps no run from starting")
    func lost() async throws {
        try await withArea { area in
            try await killBetweenSteps(area)
            for name in try area.incomingNames { try FileTree(area.root.appending("incoming/\(name)")).remove() }
            try await area.takeSet(["app": ["x": "4"]], run: .numbered(4))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(4))
        }
    }

    @Test("Without space for the record, nothing is moved")
    func noSpace() async throws {
        try await withTmpfs(size: "1m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                #expect(cfaults_fail_rename_with_flags(EINVAL) == 0)
                let area = try await StagingArea.open(FilePath(root))
                try await area.withIncoming(.numbered(2)) { incoming in
                    let unpublished = try await incoming.fillAndSeal(["app": ["x": "2"]])
                    try fillUp(area.root.appending("filler"))
                    let error = await #expect(throws: StagingError.self) { try await unpublished.publish() }
                    #expect(error?.code == .noSpace)
                    #expect(
                        error?.message == """
                            no space to write \(root)/journal/\(RunID.numbered(2)).publish.json: 4.00 KiB needed, 0 B free
                            """)
                }
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }

    @Test("Killed after the second step, nothing is lost", arguments: ["publish.previous", "publish.before"])
    func killedAfterwards(at point: String) async throws {
        try await withArea { area in
            try await kill(area, at: point)
            let lock = try await area.lock(for: .numbered(4), command: "test")
            let isPublished = point == "publish.previous"
            #expect(
                try await lock.removeLeftovers()
                    == (isPublished
                        ? [
                            .publicationCompleted(.numbered(3)),
                            .removed(area.root.appending("incoming/\(RunID.numbered(3)).older")),
                        ]
                        : [.removed(area.root.appending("incoming/\(RunID.numbered(3))"))]))
            lock.release()
            #expect(try await area.faithfulRun(at: area.current) == .numbered(isPublished ? 3 : 2))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(isPublished ? 2 : 1))
            #expect(try area.incomingNames == [] && area.journalNames == [])
        }
    }

    @Test("A record says what is under way before it begins")
    func journal() async throws {
        try await withArea { area in
            try await killBetweenSteps(area)
            #expect(try area.journalNames == ["\(RunID.numbered(3)).publish.json"])
            #expect(
                try read(area.root.appending("journal/\(RunID.numbered(3)).publish.json")) == """
                    {
                      "kind" : "publish",
                      "run" : "\(RunID.numbered(3))"
                    }

                    """)
        }
    }

    /// Leaves an area without `current/`.
    private func killBetweenSteps(_ area: StagingArea) async throws {
        try await kill(area, at: "publish.fallback.moved")
        #expect(access(area.current.string, F_OK) != 0)
    }

    /// Publishes sets 1 and 2, and kills the process that publishes set 3.
    private func kill(_ area: StagingArea, at point: String) async throws {
        let scratch = area.root.removingLastComponent()
        try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
        try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
        let killer = try StoppedProcess(scratch: scratch) { Glibc.kill($0, SIGKILL) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = area.root.string as String, point] in
            #expect(cfaults_fail_rename_with_flags(EINVAL) == 0)
            let area = try await StagingArea.open(FilePath(root))
            try stopThisProcess(at: point, scratch: area.root.removingLastComponent().string)
            try await area.takeSet(["app": ["x": "3"]], run: .numbered(3))
        }
        try killer.finish()
    }
}
