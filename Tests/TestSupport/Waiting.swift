import Glibc
import SystemPackage
import Testing

/// Waits until `condition` holds, for at least a minute and a half and at least 500 looks at it. On a busy machine we may get few looks in
/// that time. A test asserts what happened, never how fast. Most looks start a program, so we look less often the longer it
/// takes.
public func eventually(_ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation)
    async throws
{
    let start = ContinuousClock.now
    let end = start + .seconds(90)
    var looks = 0
    while ContinuousClock.now < end || looks < 500 {
        if try await condition() { return }
        looks += 1
        try await Task.sleep(for: min(max(.milliseconds(10), (ContinuousClock.now - start) / 10), .milliseconds(200)))
    }
    Issue.record("this never came true", sourceLocation: sourceLocation)
}

/// Whether a process is there. A zombie is not.
public func isAlive(_ pid: pid_t) -> Bool {
    guard let status = try? read(FilePath("/proc/\(pid)/stat")) else { return false }
    return !status.drop { $0 != ")" }.hasPrefix(") Z")
}
