import Checksums
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

extension ConformanceCheck {
    func digestsAreTrue() async throws {
        let directory = try newDirectory()
        var run = TestRun()
        let told = Recorded<(path: FilePath, digest: FileDigest)>()
        run.context.shortcuts.completed = { told.append(($0, $1)) }
        let summary = try await run.dump(provider(run), into: directory)
        for (path, digest) in told.all + summary.digests.map({ (path: $0, digest: $1) }) {
            #expect(try FileScan(directory.pushing(path)).digest() == digest, "\(path)")
        }
    }

    func unitsKeepToTheirSlots() async throws {
        let run = TestRun(slots: 1)
        let units = try await run.prepared(provider(run)) { source in
            _ = try await run.dump(source, into: try newDirectory())
            return source.units
        }
        var running = 0
        for event in run.events.all {
            if case .began = event { running += 1 } else { running -= 1 }
            #expect(running <= 1)
        }
        #expect(run.events.all.filter { if case .began = $0 { true } else { false } }.count == units.count)
        for unit in units {
            #expect(run.events.all.filter { $0 == .began(unit) || $0 == .ended(unit) } == [.began(unit), .ended(unit)])
        }
    }

    func twoDumpsAtOnce() async throws {
        let directories = [try newDirectory("one"), try newDirectory("two")]
        let run = TestRun()
        let provider = provider(run)
        async let first = run.dump(provider, into: directories[0])
        async let second = run.dump(provider, into: directories[1])
        #expect(try await first.databases == second.databases)
        let paths = try directories.map { try FileTree($0).entries().map(\.path) }
        #expect(paths[0] == paths[1])
    }

    // MARK: What goes wrong

    func cancelledBefore() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let error = await #expect(throws: DumpError.self) {
                let task = Task {
                    while !Task.isCancelled { await Task.yield() }
                    _ = try await run.dump(source, into: directory)
                }
                task.cancel()
                try await task.value
            }
            #expect(error?.code == .cancelled)
            expectSpeaking(error)
        }
        try await nothingIsLeft()
    }

    func cancelledWhile() async throws {
        let directory = try newDirectory()
        let run = TestRun(slots: 1)
        try await subject.whileHeldUp {
            try await run.prepared(provider(run)) { source in
                let task = Task { try await run.dump(source, into: directory) }
                try await eventually { run.events.all.contains { if case .began = $0 { true } else { false } } }
                task.cancel()
                let error = await #expect(throws: DumpError.self) { try await task.value }
                #expect(error?.code == .cancelled)
                expectSpeaking(error)
            }
            try await nothingIsLeft()
        }
    }

    func deadline() async throws {
        let directory = try newDirectory()
        let run = TestRun(deadline: .seconds(1))
        try await subject.whileHeldUp {
            let error = await #expect(throws: DumpError.self) { try await run.dump(provider(run), into: directory) }
            #expect(error?.code == .deadline)
            expectSpeaking(error)
            try await nothingIsLeft()
        }
    }

    func unchangedIsIdentical() async throws {
        let run = TestRun()
        var dumps: [[String]] = []
        for name in ["first", "second"] {
            let directory = try newDirectory(name)
            try await run.dump(provider(run), into: directory)
            dumps.append(
                try FileTree(directory).entries().map { entry in
                    let path = directory.pushing(entry.path)
                    let isRestless = subject.restlessFiles.contains(entry.path.lastComponent?.string ?? "")
                    let contents = entry.status.kind == .file && !isRestless ? try FileScan(path).digest().sha256 : ""
                    return "\(entry.path) \(entry.status.kind) \(contents)"
                })
        }
        #expect(!dumps[0].isEmpty && dumps[0] == dumps[1])
    }

    func damagedSource() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            try await subject.damage()
            let error = await #expect(throws: DumpError.self) { try await run.dump(source, into: directory) }
            #expect(error?.code != .cancelled)
            expectSpeaking(error)
        }
        try await nothingIsLeft()
    }

    func fullDisk() async throws {
        let mountPoint = try newDirectory("full")
        try await withMemoryFileSystem(kibibytes: 128, at: mountPoint) {
            let directory = mountPoint.appending("dump")
            try FileSystem.createDirectory(directory)
            let run = TestRun()
            let error = await #expect(throws: DumpError.self) { try await run.dump(provider(run), into: directory) }
            #expect(error?.code == .noSpace)
            #expect(error?.message.contains(" needed, ") == true && error?.message.contains(" free ") == true)
            expectSpeaking(error)
        }
        try await nothingIsLeft()
    }

    func secretsStaySecret() async throws {
        #expect(subject.secrets.allSatisfy { $0.count >= 8 })
        let directory = try newDirectory()
        let run = TestRun()
        var shown: [String] = []
        try await run.prepared(provider(run)) { source in
            shown += (source.findings + source.omissions).map { "\($0)" } + source.facts.map { "\($0)" }
            shown.append("\(try await run.dump(source, into: directory))")
            try await subject.damage()
            let error = await #expect(throws: DumpError.self) {
                try await run.dump(source, into: try newDirectory("failed"))
            }
            shown.append("\(String(reflecting: error)) \(error?.description ?? "")")
        }
        shown += run.logged.all
        #expect(!run.logged.all.isEmpty)
        for secret in subject.secrets {
            #expect(!shown.contains { $0.contains(secret) })
            let found = try await runProgram("grep", ["-rlF", "--", secret, directory.string])
            #expect(found.status == .exited(1), "\(String(decoding: found.output, as: UTF8.self))")
        }
    }
}
