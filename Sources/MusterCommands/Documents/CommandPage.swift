import ArgumentParser
import FoundationEssentials

/// All that can be said of one command: its manual, and its options as the parser knows them.
struct CommandPage {
    /// Such as `config check`.
    var path: String
    var manual: CommandManual
    var usage: String
    var arguments: [ParsedArgument]

    /// Every command in the order of help, those below another one after it.
    static let groups: [(title: String, pages: [CommandPage])] = Muster.groups.map { group in
        (group.title, group.commands.flatMap { pages(of: $0, below: "") })
    }

    private static func pages(of type: any MusterCommand.Type, below parent: String) -> [CommandPage] {
        let path = parent + type.manual.name
        let page = CommandPage(
            path: path, manual: type.manual, usage: Muster.usageString(for: type),
            arguments: ParsedArgument.all(of: type))
        return [page] + type.parts.flatMap { pages(of: $0, below: "\(path) ") }
    }

    /// Those that the parser, or the command itself, refuses.
    static var wrongExamples: [String] {
        groups.flatMap(\.pages).flatMap(\.manual.examples).map(\.command).filter { line in
            let words = line.splitAtASCIISpace().prefix { $0 != ">" }.map(String.init)
            return words.first != "muster" || (try? Muster.parseAsRoot(Array(words.dropFirst()))) == nil
        }
    }

    var positionals: [ParsedArgument] { arguments.filter { $0.kind == .positional } }

    /// Without `--version` and `--help`, which every command has.
    var options: [ParsedArgument] {
        arguments.filter { $0.kind != .positional && !["version", "help"].contains($0.preferredName?.name) }
    }
}

/// An argument or option as the parser describes it in JSON (`ToolInfoV0` of swift-argument-parser).
struct ParsedArgument: Decodable {
    enum Kind: String, Decodable { case positional, option, flag }

    struct Name: Decodable {
        var kind: String
        var name: String
    }

    var kind: Kind
    var shouldDisplay: Bool
    var names: [Name]?
    var preferredName: Name?
    var valueName: String?
    var defaultValue: String?
    var allValues: [String]?
    var abstract: String?

    private struct Tool: Decodable {
        struct Command: Decodable { var arguments: [ParsedArgument]? }
        var command: Command
    }

    static func all(of type: any ParsableCommand.Type) -> [ParsedArgument] {
        // Our own commands, in the parser's own format.
        let tool = try! JSONDecoder().decode(Tool.self, from: Data(type._dumpHelp().utf8))
        return (tool.command.arguments ?? []).filter(\.shouldDisplay)
    }

    /// `-c, --config <file>`, or `<job>`.
    var synopsis: String {
        let value = valueName.map { "<\($0)>" } ?? ""
        guard kind != .positional else { return value }
        let spelled = (names ?? []).map { $0.kind == "short" ? "-\($0.name)" : "--\($0.name)" }
            .sorted { $0.count < $1.count }.joined(separator: ", ")
        return kind == .flag ? spelled : "\(spelled) \(value)"
    }

    /// The help, and what else the parser's help says of values.
    var help: String {
        let values = allValues.map { $0.isEmpty ? "" : "values: \($0.joined(separator: ", "))" } ?? ""
        let standard = defaultValue.map { "default: \($0)" } ?? ""
        let facts = [values, standard].filter { !$0.isEmpty }.joined(separator: "; ")
        return (abstract ?? "") + (facts.isEmpty ? "" : " (\(facts))")
    }
}
