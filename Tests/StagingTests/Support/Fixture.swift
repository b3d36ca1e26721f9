import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

/// A staging area of its own for one test.
func withArea(_ body: (StagingArea) async throws -> Void) async throws {
    try await withScratch { try await body(StagingArea.open($0.appending("staging"))) }
}

/// What a dump writes: texts by path, relative to its directory.
typealias Files = [String: String]

extension StagingArea {
    /// A whole run: takes a set of these dumps and publishes it.
    @discardableResult
    func takeSet(_ dumps: [String: Files], run: RunID = .numbered(1)) async throws -> (set: SealedSet, reuse: Reuse) {
        try await withIncoming(run) { incoming in
            let unpublished = try await incoming.fillAndSeal(dumps)
            return (try await unpublished.publish().set, unpublished.reuse)
        }
    }

    /// The first steps of a run, with the lock held.
    func withIncoming<Result>(
        _ run: RunID = .numbered(1), _ body: (IncomingSet) async throws -> Result
    ) async throws -> Result {
        let lock = try await lock(for: run, command: "test")
        defer { lock.release() }
        _ = try await lock.removeLeftovers()
        return try await body(lock.beginSet())
    }

    var incomingNames: [String] {
        get throws { try FileSystem.names(in: root.appending("incoming")).map(\.string) }
    }

    var journalNames: [String] {
        get throws { try FileSystem.names(in: root.appending("journal")).map(\.string) }
    }

    /// The run whose set is at this path, which must be faithful to its manifest. Nil if nothing is there.
    func faithfulRun(at path: FilePath) async throws -> RunID? {
        guard access(path.string, F_OK) == 0 else { return nil }
        let report = try await SetDirectory(path).verify()
        #expect(report.problems == [])
        return report.manifest.runID
    }
}

extension IncomingSet {
    func fillAndSeal(_ dumps: [String: Files]) async throws -> UnpublishedSet {
        for (name, files) in dumps { try fill(try await directory(forDump: name), files) }
        return try await seal(dumps.keys.map { .test($0) }, as: .test)
    }
}

/// Writes files of mode 0600, and the directories they lie in.
func fill(_ directory: FilePath, _ files: Files) throws {
    for (path, text) in files {
        var parent = directory
        for component in FilePath(path).removingLastComponent().components {
            parent.append(component)
            if access(parent.string, F_OK) != 0 { try FileSystem.createDirectory(parent) }
        }
        try write(text, to: directory.appending(path))
    }
}

extension RunID {
    /// Later numbers are later runs.
    static func numbered(_ number: Int) -> RunID {
        RunID("2026112\(number % 10)T080102Z-" + String(String(0x10000 + number, radix: 16).dropFirst()))!
    }
}

extension FinishedDump {
    static func test(_ name: String, digests: [FilePath: FileDigest] = [:]) -> FinishedDump {
        FinishedDump(
            name: name, provider: "test", durationSeconds: 1.5,
            summary: DumpSummary(
                identity: ["server_version": "15.4", "runID": "kept"],
                moment: Moment(.exact, from: Timestamp(milliseconds: 1000), to: Timestamp(milliseconds: 2000)),
                digests: digests))
    }
}

extension SetFacts {
    static var test: SetFacts {
        SetFacts(
            tool: .init(name: "muster", version: "0.0"), job: "nightly", host: "db1",
            startedAt: Timestamp(milliseconds: 500))
    }
}

/// Waits until what objects on their way out had open in a directory, and removed, is released: its space comes back then.
func untilReleased(below directory: FilePath) async throws {
    try await eventually { try !hasRemovedFiles(below: directory) }
}

/// Writes into a new file until the file system is full.
func fillUp(_ path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
    try file.closeAfter {
        for size in [64 * 1024, 1] {
            do { while true { _ = try file.writeAll([UInt8](repeating: 0x61, count: size)) } } catch Errno.noSpace {}
        }
    }
}

/// Whether this process has a file open that no longer has a name; proc(5) marks it.
private func hasRemovedFiles(below directory: FilePath) throws -> Bool {
    let descriptors: FilePath = "/proc/self/fd"
    return try FileSystem.names(in: descriptors).contains { name in
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink(descriptors.appending(name).string, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        let target = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return target.hasPrefix("\(directory)/") && target.hasSuffix(" (deleted)")
    }
}
