import Logging
import Processes
import SystemPackage

/// Runs a program of this system to its end, such as `sha256sum`, with its standard output in `output`.
public func runProgram(
    _ name: String, _ arguments: [String], in directory: FilePath = "/"
) async throws -> ProgramOutcome {
    let log = Logger.silent
    var program = Program(try Executables.find(name), arguments)
    program.workingDirectory = directory
    program.inheritedPrefixes = ["MUSTER_TEST_"]
    return try await ProgramRunner(keeper: keeperExecutable, log: log).run(program, output: .collect(limit: 1 << 26))
}

/// Runs a program of this system that must succeed, and returns what it wrote.
@discardableResult
public func output(_ program: String, _ arguments: String...) async throws -> String {
    let outcome = try await runProgram(program, arguments)
    guard outcome.succeeded else { throw HostError(description: "\(program) \(arguments): \(outcome.lastErrors)") }
    return String(decoding: outcome.output, as: UTF8.self)
}
