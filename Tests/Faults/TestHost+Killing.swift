import Glibc
import TestSupport
import Testing

extension TestHost {
    /// Runs muster up to a point between two steps, kills it there, and returns when no program of it is left.
    func killMuster(
        _ command: String, at point: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let run = try start([command], environment: ["MUSTER_STOP_AT": point])
        try #require(await run.stopped(), "it passes '\(point)'", sourceLocation: sourceLocation)
        run.send(SIGKILL)
        #expect(try await run.result().status == .signaled(SIGKILL), sourceLocation: sourceLocation)
        try await eventually { try processes().isEmpty }
    }
}
