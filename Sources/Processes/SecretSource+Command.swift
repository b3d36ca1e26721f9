import DumpCore

extension SecretSource {
    /// What a command line of the operator's writes to standard output.
    ///
    /// It reaches the shell through memory and not as an argument: a command line such as `echo …` may be the secret itself.
    static func output(
        of line: String, runner: ProgramRunner, limit: Duration
    ) async throws(SecretFailure) -> [UInt8] {
        // The operator's own command, which may need any variable of theirs, such as VAULT_ADDR.
        let shell = Program(
            "/bin/sh", ["-c", ". \"$\(variable)\""], inheritedPrefixes: [""],
            secrets: [.file(namedBy: variable, Secret(line + "\n"))])
        let outcome: ProgramOutcome?
        do {
            outcome = try await withDeadline(limit) {
                try await runner.run(shell, output: .collect(limit: longestSecret))
            }
        } catch let error as ProcessError {
            throw SecretFailure(error)
        } catch {
            // The clock is all that throws anything else, when our task is cancelled.
            throw SecretFailure(ProcessError(.cancelled, "the command of a secret was stopped", underlying: error))
        }
        guard let outcome else {
            throw SecretFailure(
                "its command took longer than \(limit.components.seconds) s",
                hint: "Run it by hand as this user, with no terminal: it must not ask for anything.")
        }
        guard outcome.succeeded else {
            throw SecretFailure(
                "its command \(outcome.status)", hint: "Run it by hand as this user.",
                context: ["stderr": outcome.lastErrors])
        }
        return outcome.output
    }

    private static let variable = "MUSTER_SECRET_COMMAND"
}
