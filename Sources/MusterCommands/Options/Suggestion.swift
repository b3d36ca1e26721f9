import ArgumentParser
import Settings

/// `Did you mean 'offsite'?` and a blank to go on after, or nothing.
func suggestion(for word: String, among words: [String]) -> String {
    nearestWord(to: word, among: words).map { "Did you mean '\($0)'? " } ?? ""
}

extension ParsableCommand {
    /// Throws for a first word that should name a command and names none. The parser takes it for one argument too many.
    static func requireKnown(_ arguments: ArraySlice<String>, path: String = "muster") throws {
        let commands = configuration.subcommands
        guard !commands.isEmpty, let word = arguments.first, !word.hasPrefix("-") else { return }
        if word == "help" { return try requireKnown(arguments.dropFirst(), path: path) }
        guard let next = commands.first(where: { $0._commandName == word }) else {
            let names = commands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            throw ValidationError(
                "\(path) has no command '\(word)'",
                hint: "\(suggestion(for: word, among: names))It has: \(names.joined(separator: ", ")).")
        }
        try next.requireKnown(arguments.dropFirst(), path: "\(path) \(word)")
    }
}
