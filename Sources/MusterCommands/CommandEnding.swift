import ArgumentParser
import DumpCore
import Reporting

/// How a command ended that did not come to its end: what is said of it, and its exit status.
struct CommandEnding {
    private(set) var status: Int32
    /// Nil if everything was said already, or nothing was wrong.
    private(set) var error: (any OperatorError)?
    /// Said last, each on a line of its own.
    private(set) var lastLines: [String] = []
    /// What was asked for in place of a command, such as its help.
    private(set) var help: String?

    /// - Parameters:
    ///   - error: that was thrown by the parser, or by a command.
    ///   - arguments: the command line.
    init(of error: any Error, _ arguments: ArraySlice<String>) {
        switch error {
        case let failure as CommandFailure:
            self.init(
                failure.status, failure.error, [failure.lastLine].compactMap(\.self), isOnRecord: failure.isOnRecord)
        case let error as any OperatorError: self.init(.failed, error)
        default: self.init(ofParsing: error, arguments)
        }
    }

    private init(_ status: ExitStatus, _ error: any OperatorError, _ lastLines: [String] = [], isOnRecord: Bool = false)
    {
        // Whatever went wrong after a signal came of it.
        let stopped = isOnRecord ? nil : SignalWait.signal
        self.status = stopped.map { 128 + $0 } ?? status.rawValue
        (self.error, self.lastLines) = (error, lastLines)
    }

    /// Errors of the parser, and of the checks that commands make of their options.
    private init(ofParsing error: any Error, _ arguments: ArraySlice<String>) {
        let code = Muster.exitCode(for: error)
        status = SignalWait.signal.map { 128 + $0 } ?? code.rawValue
        let words = Muster.message(for: error)
        guard SignalWait.signal == nil, !words.isEmpty else { return }
        guard !code.isSuccess else {
            help = Muster.withPlainHeadings(words)
            return
        }
        let wrong = CommandLineError(words, arguments: arguments)
        self.error = wrong
        lastLines = code == .validationFailure ? [wrong.usage] : []
    }

    /// Says it. With `--json` a script finds an object on standard output, whatever went wrong.
    func tell(inJSON: Bool) {
        // A command that did not come to its result has not told them.
        for warning in Console.shared.takeKept() { Console.shared.plainError("warning: \(warning)") }
        if let help { Console.shared.result(help) }
        guard let error else { return }
        if inJSON, !Console.shared.hasResult {
            if let text = try? json(ErrorDocument(error, exitStatus: status)) { Console.shared.result(text) }
        }
        Console.shared.error(error.description)
        for line in lastLines { Console.shared.plainError(line) }
    }
}
