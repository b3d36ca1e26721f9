import ArgumentParser
import DumpCore
import Glibc
import Linux
import SystemPackage

/// A command that is run for what it does. A daemon may start it without any standard output: then what it did counts.
protocol ActingCommand: ParsableCommand {
    var output: OutputOptions { get }
}

extension RunCommand: ActingCommand {}
extension DumpCommand: ActingCommand {}
extension ArchiveCommand: ActingCommand {}
extension CheckCommand: ActingCommand {}
extension VerifyCommand: ActingCommand {}
extension ExtractCommand: ActingCommand {}
extension PruneCommand: ActingCommand {}
extension CheckRepositoryCommand: ActingCommand {}
extension ReleaseCommand: ActingCommand {}
extension UndoCommand: ActingCommand {}

/// Whether a result has arrived: one that was asked for and is lost is a failure, however well the command did.
enum ResultCheck {
    /// Why the result is lost, for the operator. Nil if it is not.
    static var failure: DumpError? {
        Console.shared.lostResult.map { errno in
            DumpError(
                .system, "cannot write the result to standard output: \(errno)",
                hint: "Whatever else the command had to do is done. Check where its standard output leads.")
        }
    }

    /// To be called once a command has succeeded.
    static func requireArrival(of command: any ParsableCommand) throws {
        guard let failure, !actsWithoutOutput(command) else { return }
        throw CommandFailure(status: .failed, error: failure)
    }

    private static func actsWithoutOutput(_ command: any ParsableCommand) -> Bool {
        guard StartingConditions.wasClosed(STDOUT_FILENO), let acting = command as? any ActingCommand else {
            return false
        }
        return !acting.output.json
    }
}
