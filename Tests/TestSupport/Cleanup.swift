import Linux
import SystemPackage
import Testing

/// Undoes what a test did, the last first, also after a failure. A step that fails does not keep the others from being
/// tried.
public func withCleanup<Result>(
    _ body: (inout [() async throws -> Void]) async throws -> Result
) async throws -> Result {
    var steps: [() async throws -> Void] = []
    let outcome: Swift.Result<Result, any Error>
    do {
        outcome = .success(try await body(&steps))
    } catch {
        outcome = .failure(error)
    }
    for step in steps.reversed() {
        do {
            try await step()
        } catch {
            Issue.record(error, "cannot clean up")
        }
    }
    return try outcome.get()
}

/// A scratch directory with mounts below it. What is left of them at its end is unmounted, the last first.
public func withMountScratch<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withScratch { scratch in
        try await withCleanup { cleanup in
            cleanup.append { try await unmountAll(below: scratch) }
            return try await body(scratch)
        }
    }
}

/// Unmounts what is mounted there, the last first.
public func unmountAll(below directory: FilePath) async throws {
    for mount in try MountTable.current().mounts(below: directory).reversed() { try await unmount(mount.point) }
}

/// Unmounts what is there, and tries that for a while. A program that another test is starting has our descriptors too, until it has become that
/// program: meanwhile the file system is busy.
public func unmount(_ point: FilePath) async throws {
    var outcome = try await runProgram("umount", [point.string])
    for _ in 1...1000 where !outcome.succeeded && outcome.lastErrors.contains("busy") {
        try await Task.sleep(for: .milliseconds(50))
        outcome = try await runProgram("umount", [point.string])
    }
    guard outcome.succeeded else { throw HostError(description: "umount \(point): \(outcome.lastErrors)") }
}
