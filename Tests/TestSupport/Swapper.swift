import Glibc
import SystemPackage
import Testing

/// Names that another process exchanges as fast as it can while a test works with them.
public struct Swapper: Sendable {
    private let command: Command

    /// Two names with each other.
    public static func exchanging<Result>(
        _ one: FilePath, _ other: FilePath, scratch: FilePath, _ body: () async throws -> Result
    ) async throws -> Result {
        try await Swapper(["exchange", one.string, other.string], scratch: scratch).whileAtWork(body)
    }

    /// Whatever comes into a directory under a name that begins so with a link to `victim`.
    public static func stealing(
        in directory: FilePath, prefix: String, for victim: FilePath, scratch: FilePath,
        _ body: () async throws -> Void
    ) async throws {
        try await Swapper(["steal", directory.string, prefix, victim.string], scratch: scratch).whileAtWork(body)
    }

    private init(_ arguments: [String], scratch: FilePath) throws {
        command = try Command(swapperExecutable, arguments, environment: [:], scratch: scratch)
    }

    private func whileAtWork<Result>(_ body: () async throws -> Result) async throws -> Result {
        let outcome: Swift.Result<Result, any Error>
        do {
            // Told to end before that, it would be killed.
            try await eventually { try !command.errorsSoFar().isEmpty }
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        command.send(SIGTERM)
        let result = try await command.result()
        #expect(result.status == .exited(0), "\(result.errors)")
        return try outcome.get()
    }
}
