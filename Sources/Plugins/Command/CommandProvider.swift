import DumpCore
import Linux
import Processes
import Settings
import SystemPackage

/// Dumps what a command prints. Muster believes it only as far as it can check it. It checks the status and the size. If the job asks for
/// it, it also checks the last line, and runs a program that verifies the output.
struct CommandProvider: Provider {
    let settings: CommandSettings
    let means: ProviderMeans

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        var programs: [FilePath] = []
        do throws(ProcessError) {
            for (place, words) in settings.commands.enumerated() {
                let name = place == 0 ? settings.container?.engine.rawValue ?? words[0] : words[0]
                programs.append(try Executables.find(name))
            }
            if let verify = settings.verify { programs.append(try Executables.find(verify[0])) }
        } catch {
            throw DumpError(error)
        }
        var secrets: [HandedSecret] = []
        for secret in settings.secrets {
            do throws(ProcessError) {
                let text = try await secret.source.resolve(
                    for: "secret '\(secret.name)' of dump '\(run.dump)'", runner: means.runner)
                secrets.append(.file(namedBy: "MUSTER_SECRET_" + secret.name.uppercased(), text))
            } catch {
                throw DumpError(error)
            }
        }
        guard let user = settings.runAs, UserAccount(named: user) == nil else {
            return PreparedCommand(settings: settings, means: means, programs: programs, secrets: secrets)
        }
        throw DumpError(
            .settings, "there is no user '\(user)', whom run_as names", hint: "Create the user, or name another.")
    }
}

/// A command whose programs are there.
struct PreparedCommand: PreparedSource, FrozenSource {
    let settings: CommandSettings
    let means: ProviderMeans
    /// In the order of the commands, and the one that verifies at the end.
    let programs: [FilePath]
    let secrets: [HandedSecret]

    var facts: ErrorContext {
        var facts: ErrorContext = ["command": settings.commands.map { $0[0] }.joined(separator: " | ")]
        if let container = settings.container { facts["container"] = container.name }
        return facts
    }

    var units: [WorkUnit] {
        [WorkUnit(name: settings.file, path: FilePath(settings.file), estimatedBytes: settings.minimumBytes)]
    }

    var findings: [Finding] {
        guard let words = settings.commands.first(where: \.isBlindPipe) else { return [] }
        return [
            Finding(
                .failure, "pipe_status_lost", object: words[0],
                "the command is a pipe of a shell, which tells the status of its last part alone",
                hint:
                    "Write command: as a list of lists, [[a], [b]], or begin the text with 'set -o pipefail;' for bash."
            )
        ]
    }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource { self }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        try await run.perform(units[0]) { () async throws(DumpError) in
            let from = Timestamp.now
            let path = directory.appending(settings.file)
            do throws(DumpError) {
                try await CommandPipe(self, into: path, in: run).perform()
                try await CommandCheck(self, of: path).perform()
            } catch {
                throw error.code == .noSpace ? error.sayingRoom(needed: settings.minimumBytes, in: directory) : error
            }
            return DumpSummary(identity: facts, moment: Moment(.live, from: from, to: .now))
        }
    }

    /// - Parameter place: of the command, or one past the last for what verifies.
    func program(_ place: Int, _ words: [String]) -> Program {
        var program = Program(
            programs[place], Array(words.dropFirst()), environment: ["MUSTER_JOB": means.job], user: settings.runAs,
            secrets: secrets)
        program.endsAlone = true
        return program
    }
}

extension [String] {
    /// Whether it is a shell's text with a pipe in it, and without what makes the shell mind its parts.
    fileprivate var isBlindPipe: Bool {
        let shells: Set = ["sh", "bash", "dash", "ash", "zsh", "ksh"]
        guard let shell = first.map({ FilePath($0) })?.lastComponent?.string, shells.contains(shell), count > 2,
            dropFirst().first?.hasPrefix("-") == true, dropFirst().first?.hasSuffix("c") == true
        else { return false }
        let text = self[2].replacingPairs
        return text.utf8.contains(UInt8(ascii: "|")) && !contains { $0.containsWord("pipefail") }
    }
}

extension String {
    /// Without `||`, which is not a pipe.
    fileprivate var replacingPairs: String { split(separator: "||").joined(separator: " ") }

    fileprivate func containsWord(_ word: String) -> Bool { contains(word) }
}
