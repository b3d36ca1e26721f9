import DumpCore
import Linux
import SystemPackage

extension ConformanceCheck {
    func cancelledBefore() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let error = try await dumpError(of: "a dump that is cancelled") {
                let task = Task {
                    while !Task.isCancelled { await Task.yield() }
                    _ = try await run.dump(source, into: directory)
                }
                task.cancel()
                try await task.value
            }
            expect(error, is: .cancelled)
        }
        try await nothingIsLeft()
    }

    func cancelledWhile() async throws {
        let directory = try newDirectory()
        let run = TestRun(slots: 1)
        try await subject.whileHeldUp {
            try await run.prepared(provider(run)) { source in
                let task = Task { try await run.dump(source, into: directory) }
                try await untilBegun(run)
                task.cancel()
                let error = try await dumpError(of: "a dump that is cancelled") { _ = try await task.value }
                expect(error, is: .cancelled)
            }
            try await nothingIsLeft()
        }
    }

    private func untilBegun(_ run: TestRun) async throws {
        for _ in 0..<9000 where !run.events.all.contains(where: \.isBegin) {
            try await Task.sleep(for: .milliseconds(10))
        }
        expect(run.events.all.contains(where: \.isBegin), "no unit ever begins")
    }

    func deadline() async throws {
        let directory = try newDirectory()
        let run = TestRun(deadline: .seconds(1))
        try await subject.whileHeldUp {
            let error = try await dumpError(of: "a dump that takes too long") {
                try await run.dump(provider(run), into: directory)
            }
            expect(error, is: .deadline)
            try await nothingIsLeft()
        }
    }

    func damagedSource() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            try await subject.damage()
            let error = try await dumpError(of: "the dump of a damaged source") {
                _ = try await run.dump(source, into: directory)
            }
            expect(error?.code != .cancelled, "a damaged source is called cancelled")
            expectSpeaking(error)
        }
        try await nothingIsLeft()
    }

    /// The size of the small disk, in bytes.
    private static var smallDisk: Int { 128 << 10 }

    func fullDisk() async throws {
        let mountPoint = try newDirectory("full")
        try await subject.withSmallDisk(bytes: Self.smallDisk, at: mountPoint) {
            let directory = mountPoint.appending("dump")
            try FileSystem.createDirectory(directory)
            let run = TestRun()
            do {
                try await run.dump(provider(run), into: directory)
                guard FileTree(directory).bytes() > Self.smallDisk else {
                    try lack("a dump of this source fits on a disk of \(formatBytes(Int64(Self.smallDisk)))")
                }
                faults.append("a dump that does not fit throws nothing")
            } catch let error as DumpError {
                expect(error, is: .noSpace)
                let saysRoom = error.message.contains(" needed, ") && error.message.contains(" free ")
                expect(saysRoom, "the error does not say how much was needed and is free: \(error.message)")
            }
        }
        try await nothingIsLeft()
    }
}
