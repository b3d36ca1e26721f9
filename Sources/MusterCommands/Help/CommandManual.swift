import ArgumentParser
import Synchronization

/// What help, manual page and reference say of a command besides its options: each of the three is made from this.
struct CommandManual: Sendable {
    struct Example: Sendable {
        var command: String
        /// What it is for, one line.
        var purpose: String
    }

    var name: String
    /// One line, an imperative.
    var summary: String
    /// In place of the usage that follows from the options.
    var usage: String?
    /// What the summary leaves open, in paragraphs.
    var story: String
    var examples: [Example]
    var statuses: StatusTable

    init(
        _ name: String, _ summary: String, usage: String? = nil, story: String = "",
        examples: KeyValuePairs<String, String>, statuses: StatusTable = .of()
    ) {
        (self.name, self.summary, self.usage, self.story, self.statuses) = (name, summary, usage, story, statuses)
        self.examples = examples.map { Example(command: $0.key, purpose: $0.value) }
    }

    /// For the parser, which shows it as the command's help.
    func configuration(subcommands: [any ParsableCommand.Type] = []) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: summary, usage: usage, discussion: discussion, subcommands: subcommands)
    }

    private var discussion: String {
        [story, examplesText, statuses.text].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var examplesText: String {
        (["EXAMPLES:"] + examples.map { "  \($0.command)\n      \($0.purpose)" }).joined(separator: "\n")
    }
}

/// A command with a manual. Every command that help shows is one.
protocol MusterCommand: AsyncParsableCommand {
    static var manual: CommandManual { get }
    /// Commands below it.
    static var parts: [any MusterCommand.Type] { get }
}

extension MusterCommand {
    static var parts: [any MusterCommand.Type] { [] }
    static var configuration: CommandConfiguration {
        configurations.withLock { known in
            if let configuration = known[ObjectIdentifier(self)] { return configuration }
            let configuration = manual.configuration(subcommands: parts)
            known[ObjectIdentifier(self)] = configuration
            return configuration
        }
    }
}

/// By command. The parser asks for each many times, whatever is typed.
private let configurations = Mutex<[ObjectIdentifier: CommandConfiguration]>([:])
