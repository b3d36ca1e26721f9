import DumpCore
import Processes
import Settings
import Synchronization
import SystemPackage

/// A program inside a container, run by the engine's `exec`.
///
/// An engine's own status is not the program's. On SIGTERM `docker exec` and `podman exec` end with 0 and cut the output, while the program
/// goes on. So a few lines of sh inside write the program's status to standard error, behind a word that only this run knows. They end the
/// program when its input closes, which happens however the engine's client ends.
final class ContainerProgram: Sendable {
    private let settings: ContainerSettings
    private let word: String
    private let status = Mutex<Int32?>(nil)

    init(in settings: ContainerSettings) {
        self.settings = settings
        word = "muster-\(UInt64.random(in: .min ... .max))"
    }

    /// Held open for as long as the program may run.
    let input = ProgramInput()

    /// The command of the host that runs `words` in the container.
    func command(_ words: [String]) -> [String] {
        let user = settings.user.map { ["--user", $0] } ?? []
        return [settings.engine.rawValue, "exec", "--interactive"] + user
            + [settings.name, "sh", "-c", Self.wrapper, "sh", word] + words
    }

    private static let wrapper = """
        word=$1; shift; exec 3<&0
        "$@" </dev/null 3<&- &
        program=$!
        (while read -r rest; do :; done <&3; kill "$program" 2>/dev/null) >/dev/null 2>&1 &
        watch=$!
        wait "$program"; status=$?
        kill "$watch" 2>/dev/null
        echo "$word $status" >&2
        exit "$status"
        """

    /// Whether a line of standard error is the status of the program, which is noted.
    func takes(_ line: String) -> Bool {
        guard line.hasPrefix(word + " "), let status = Int32(line.dropFirst(word.count + 1)) else { return false }
        self.status.withLock { $0 = status }
        return true
    }

    /// Throws unless the program itself was seen to end well.
    func requireSuccess(of name: String, _ outcome: ProgramOutcome) throws(DumpError) {
        let lines = outcome.lastErrorLines.filter { !$0.hasPrefix(word) }.joined(separator: "\n")
        switch status.withLock({ $0 }) {
        case 0 where outcome.succeeded: return
        case let status? where status != 0:
            throw DumpError(
                .programFailed, "\(name) exited with status \(status) in container '\(settings.name)'",
                hint: "Its last lines say why.", context: lines.isEmpty ? [:] : ["stderr": lines])
        default:
            throw DumpError(
                .programFailed,
                "\(name) did not come to its end in container '\(settings.name)': \(settings.engine.rawValue) \(outcome.status)",
                hint:
                    "Check that the container runs, that it has the program and a sh, and that this user may use \(settings.engine.rawValue).",
                context: lines.isEmpty ? [:] : ["stderr": lines])
        }
    }
}
