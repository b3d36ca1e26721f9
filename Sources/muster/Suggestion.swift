import ArgumentParser
import Settings

/// `Did you mean 'offsite'?` and a blank to go on after, or nothing.
func suggestion(for word: String, among words: [String]) -> String {
    nearestWord(to: word, among: words).map { "Did you mean '\($0)'? " } ?? ""
}

extension ParsableCommand {
    /// Throws for a first word that should name a command and names none. The parser takes it for one argument too many.
    static func requireKnown(_ arguments: ArraySlice<String>) throws {
        let commands = configuration.subcommands
        guard !commands.isEmpty, let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return }
        let names = commands.map { $0._commandName }
        guard let next = commands.first(where: { $0._commandName == word }) else {
            let all = "It has: \(names.joined(separator: ", "))."
            throw ValidationError(
                "\(_commandName) has no command '\(word)'. \(suggestion(for: word, among: names))\(all)")
        }
        try next.requireKnown(arguments.dropFirst())
    }
}
