import ArgumentParser
import DumpCore
import Linux
import Plugins
import SystemPackage

struct PluginsCommand: MusterCommand {
    static let manual = CommandManual(
        "plugins", "Show, test and write plugins, which dump sources that Muster does not know by itself.",
        story: """
            A plugin is a directory with a description and a program, in /etc/muster/plugins or where --path says. plugins/README.md says \
            how to write one, and docs/plugins.md how to use one.
            """,
        examples: [
            "muster plugins list": "List all plugins.",
            "muster plugins describe sqlite": "See which keys its dumps have.",
        ])
    static let parts: [any MusterCommand.Type] = [
        ListPlugins.self, DescribePlugin.self, TestPlugin.self, NewPlugin.self,
    ]
}

/// Where plugins are looked for.
struct PluginPathOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A directory of plugins; may be given several times. Not set: /etc/muster/plugins, then those that came with Muster.",
            valueName: "dir"))
    var path: [String] = []

    var searched: PluginPath { PluginPath(path.isEmpty ? nil : path.map { JobOptions.absolute($0) }) }

    /// By its name, or by its directory.
    func plugin(_ name: String) throws -> Plugin {
        do throws(DumpError) {
            if name.utf8.contains(UInt8(ascii: "/")) {
                let directory = JobOptions.absolute(name).lexicallyNormalized()
                try BuiltInProviders.requireFree(directory.lastComponent?.string ?? "")
                return try Plugin(directory)
            }
            try BuiltInProviders.requireFree(name)
            if let plugin = try searched.plugin(named: name) { return plugin }
            throw DumpError(
                .settings,
                "there is no plugin '\(name)' in \(searched.directories.map(\.string).joined(separator: " or "))",
                hint: "To see all of them: muster plugins list. A directory has a slash: ./\(name).")
        } catch {
            throw CommandFailure(status: .configuration, error: error)
        }
    }
}

private struct ListPlugins: MusterCommand {
    static let manual = CommandManual(
        "list", "List installed plugins, and what is wrong with those that cannot be used.",
        examples: [
            "muster plugins list": "List those in the usual directories.",
            "muster plugins list --path ./plugins --json": "List those of another directory as JSON.",
        ])
    @OptionGroup var options: PluginPathOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let entries = options.searched.names.map { Entry($0, in: options.searched) }
        if output.json { return Console.shared.result(try json(entries, as: "plugins")) }
        guard !entries.isEmpty else {
            let places = options.searched.directories.map(\.string).joined(separator: " and in ")
            return Console.shared.result("no plugins in \(places)")
        }
        let table = Table(
            columns: [
                Table.Column(title: "NAME"), Table.Column(title: "VERSION", rank: 2),
                Table.Column(title: "DIRECTORY", rank: 1), Table.Column(title: "SUMMARY"),
            ], rows: entries.map(\.cells))
        let notes = entries.flatMap(\.notes)
        Console.shared.result((table.lines(width: Console.shared.resultWidth) + notes).asLines)
    }

    private struct Entry: Encodable {
        var name: String
        var directory: String
        var version: String?
        var summary: String?
        var verbs: [String]?
        /// Plugins of the same name, further back in the path.
        var hidden: [String]
        /// Why it cannot be used.
        var error: String?
        private var hint: String?

        init(_ name: String, in path: PluginPath) {
            self.name = name
            let places = path.directories(of: name)
            directory = places.first?.string ?? ""
            hidden = places.dropFirst().map(\.string)
            do throws(DumpError) {
                try BuiltInProviders.requireFree(name)
                guard let plugin = try path.plugin(named: name) else {
                    error = "its name cannot be used"
                    return
                }
                (version, summary) = (plugin.description.version, plugin.description.summary)
                verbs = plugin.description.verbs.map(\.rawValue)
            } catch let fault {
                (error, hint) = (fault.message, fault.hint)
            }
        }

        var cells: [String] { [name, version ?? "", directory, summary ?? "cannot be used"] }

        var notes: [String] {
            var notes = hidden.map { "warning: \(directory) hides \($0)" }
            if let error { notes += ["\(name): \(error)"] + (hint.map { ["  hint: \($0)"] } ?? []) }
            return notes
        }

        private enum CodingKeys: String, CodingKey { case name, directory, version, summary, verbs, hidden, error }
    }
}

private struct DescribePlugin: MusterCommand {
    static let manual = CommandManual(
        "describe", "Show what a plugin dumps and which keys its dumps have.",
        examples: [
            "muster plugins describe sqlite": "Show an installed plugin.",
            "muster plugins describe ./mydb": "Show the plugin in a directory.",
        ])
    @Argument(help: ArgumentHelp("The plugin's name, or its directory.", valueName: "plugin")) var plugin: String
    @OptionGroup var options: PluginPathOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let view = View(try options.plugin(plugin))
        Console.shared.result(output.json ? try json(view) : view.text)
    }

    private struct View: Encodable {
        var name: String
        var version: String
        var summary: String
        var directory: String
        var verbs: [String]
        var freeze: String
        var keys: [PluginDescription.Key]

        init(_ plugin: Plugin) {
            let description = plugin.description
            (name, version, summary) = (plugin.name, description.version, description.summary)
            (directory, verbs) = (plugin.directory.string, description.verbs.map(\.rawValue))
            (freeze, keys) = (description.freeze.rawValue, description.keys)
        }

        var text: String {
            let frozen = freeze == "session" ? "as of the moment of the freeze" : "at a moment of its own"
            let head = [
                "\(name) \(version): \(summary)", "  in \(directory)",
                "  can \(verbs.joined(separator: ", ")); dumps \(frozen)", "",
            ]
            return (head + ["keys besides run_as and deadline:"] + lines + ["", "in a job file:"] + example).asLines
        }

        private var lines: [String] {
            keys.isEmpty
                ? ["  none"]
                : keys.map { key in
                    let rule = key.isRequired ? "required" : key.standard.map { "default \($0)" } ?? "optional"
                    return "  \(key.name): \(key.help) (\(key.type), \(rule))"
                }
        }

        private var example: [String] {
            let required = keys.filter(\.isRequired).map { "    \($0.name): …" }
            return ["dumps:", "  \(name):", "    provider: \(name)"] + required
        }
    }
}
