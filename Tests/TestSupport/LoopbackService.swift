import Logging
import Processes
import SystemPackage
import Testing

/// A program that answers HTTP on a loopback address of its own. All of 127/8 is this machine's, so that no two are in each other's way.
public struct LoopbackService: Sendable {
    /// Such as `127.12.3.4:9100`.
    public let address: String

    /// Serves for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - arguments: of the program that listens at an address.
    ///   - path: what it answers once it is ready.
    static func with<Result>(
        _ program: String, port: Int, readyAt path: String, _ arguments: (String) -> [String],
        _ body: (LoopbackService) async throws -> Result
    ) async throws -> Result {
        let numbers = (0..<3).map { _ in String(Int.random(in: 2...250)) }
        let service = LoopbackService(address: "127.\(numbers.joined(separator: ".")):\(port)")
        // The keeper ends it.
        let running = try service.start(program, arguments(service.address))
        do {
            try await eventually { try await service.answers(path) }
            let result = try await body(service)
            await end(running)
            return result
        } catch {
            await end(running)
            throw error
        }
    }

    private func start(_ program: String, _ arguments: [String]) throws -> Task<Void, any Error> {
        let program = Program(try Executables.find(program), arguments)
        return Task {
            let outcome = try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(program)
            Issue.record("\(program.executable) ended by itself: \(outcome.status) \(outcome.lastErrors)")
        }
    }

    private static func end(_ running: Task<Void, any Error>) async {
        running.cancel()
        // It was cancelled: what it throws says that.
        _ = await running.result
    }

    private func answers(_ path: String) async throws -> Bool { try await ask(path).succeeded }

    /// What it answers; throws unless that is a success.
    public func get(_ path: String, _ parameters: [String] = []) async throws -> String {
        let outcome = try await ask(path, parameters)
        guard outcome.succeeded else { throw HostError(description: "\(path) \(parameters): \(outcome.lastErrors)") }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private func ask(_ path: String, _ parameters: [String] = []) async throws -> ProgramOutcome {
        let options = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--get"]
        return try await runProgram(
            "curl", options + parameters.flatMap { ["--data-urlencode", $0] } + ["http://\(address)\(path)"])
    }
}
