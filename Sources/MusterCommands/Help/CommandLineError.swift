import ArgumentParser
import DumpCore

/// What is wrong with a command line, in the words of the parser or of a command, and in the form of every other error.
struct CommandLineError: OperatorError {
    let codeName = "command_line"
    let context: ErrorContext = [:]
    var message: String
    var hint: String?
    /// The command that was meant, such as `run`; the last of `commands`.
    var command: any ParsableCommand.Type
    var path: String

    init(_ words: String, arguments: ArraySlice<String>) {
        (message, hint) = Self.split(words)
        (command, path) = Self.command(of: arguments)
    }

    /// How the command is used, and where more is said of it.
    var usage: String {
        "Usage: \(Muster.usageString(for: command))\n  See '\(path) --help' for more information."
    }

    /// The parser writes sentences, and its suggestion as a second one.
    private static func split(_ words: String) -> (message: String, hint: String?) {
        // As our own checks write it.
        if let hint = words.firstRange(of: "\n  hint: ") {
            return (begunSmall(String(words[..<hint.lowerBound])), String(words[hint.upperBound...]))
        }
        let end = words.firstRange(of: ". Did you mean ")
        let message = begunSmall(String(words[..<(end?.lowerBound ?? words.endIndex)]))
            .replacing("missing expected argument", with: "missing argument")
        return (message, end.map { "Did you mean \(words[$0.upperBound...])" })
    }

    private static func begunSmall(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }

    /// The innermost command that the first words name.
    private static func command(of arguments: ArraySlice<String>) -> (any ParsableCommand.Type, path: String) {
        var (found, path): (any ParsableCommand.Type, String) = (Muster.self, "muster")
        for word in arguments {
            guard let next = found.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            (found, path) = (next, "\(path) \(word)")
        }
        return (found, path)
    }
}

extension ValidationError {
    /// One line, lower case, no full stop; and a sentence that says what to do.
    init(_ message: String, hint: String) { self.init("\(message)\n  hint: \(hint)") }
}
