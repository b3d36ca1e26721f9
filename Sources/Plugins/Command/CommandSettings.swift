import DumpCore
import Linux
import Settings
import SystemPackage

/// What a job file says of a command whose standard output is the dump.
struct CommandSettings: ProviderSettings {
    /// Programs with their arguments: each reads what the one before it writes.
    var commands: [[String]] = []
    /// What the output is called in the dump.
    var file = "output"
    /// A smaller output is not a dump.
    var minimumBytes: Int64 = 1
    /// What the last line begins with.
    var trailer: String?
    /// A program that reads the file and fails if it is not whole.
    var verify: [String]?
    /// The container in which the first command runs.
    var container: ContainerSettings?
    /// By name.
    var secrets: [NamedSecret] = []
    var runAs: String?
    /// Nil: no limit.
    var deadline: Duration? = .seconds(24 * 3600)

    struct NamedSecret: Sendable, Equatable {
        var name: String
        var source: SecretSource
    }

    var programUser: String? { runAs }

    static var shape: ObjectShape<CommandSettings> {
        ObjectShape(default: CommandSettings())
            .required(
                "command", \.commands, .pipeline.example(["/usr/local/bin/app-export", "--all"]),
                "A program and its arguments, whose output is the dump. A list of such lists is a pipe, each part of which must succeed."
            )
            .key(
                "file", \.file, .outputName.example("app.sql"), "What the output is called in the dump."
            )
            .key(
                "minimum_bytes", \.minimumBytes, .byteNumber,
                "The least number of bytes that a dump can have. A smaller output fails."
            )
            .optional(
                "trailer", \.trailer, .name.example("-- Dump completed"),
                "What the last line of a whole dump begins with. Not set: any end will do."
            )
            .optional(
                "verify", \.verify, .command.example(["gzip", "--test"]),
                "A program and its arguments that read the file on standard input, and fail if it is not whole."
            )
            .optional(
                "container", \.container, ContainerSettings.shape.shape,
                "The container in which the command runs, or the first of a pipe."
            )
            .key(
                "secrets", \.secrets, .namedSecrets,
                "Secrets under names of your choice. MUSTER_SECRET_<NAME> tells the program the file that has it."
            )
            .optional(
                "run_as", \.runAs, .userName,
                "The system user that the programs run as. Needs root, unless it is the user that runs Muster."
            )
            .key("deadline", \.deadline, .timeLimit, "How long the whole dump may take before Muster stops it.")
            .check("command", "container") { $0.pathFault }
    }

    /// The working directory is not the operator's, and inside a container there are other programs.
    private var pathFault: Fault? {
        let relative = commands.enumerated().first { place, words in
            words[0].contains("/") && !words[0].hasPrefix("/")
        }
        return relative.map { Fault("'\($0.element[0])' is neither a name nor an absolute path") }
    }
}

extension Shape<[[String]]> {
    /// `[a, --b]`, or `[[a, --b], [c]]`.
    fileprivate static var pipeline: Shape {
        let one = Shape<[String]>.command
        let several = Shape<[[String]]>.list(of: one, atLeast: 1)
        return Shape(schema: ["anyOf": [one.schema, several.schema]]) { node, diagnostics in
            guard case .list(let nodes) = node.content, let first = nodes.first, case .list = first.content else {
                return one.read(node, &diagnostics).map { [$0] }
            }
            return several.read(node, &diagnostics)
        } writer: { commands in
            commands.count == 1 ? one.write(commands[0]) : several.write(commands)
        }
    }
}

extension Shape<[CommandSettings.NamedSecret]> {
    fileprivate static var namedSecrets: Shape {
        let names = NameRule(
            pattern: "[A-Za-z][A-Za-z0-9_]{0,62}",
            expected: "a name of at most 63 letters, digits and _ that begins with a letter")
        return .map(names, of: .secret) {
            CommandSettings.NamedSecret(name: $0, source: $1)
        } parts: {
            ($0.name, $0.source)
        }
    }
}

extension Shape<String> {
    fileprivate static var outputName: Shape {
        matching("[A-Za-z0-9_][A-Za-z0-9._-]{0,200}", "a file name of letters, digits and . _ -")
    }
}

extension Shape<Int64> {
    /// `1`, `4096`, or an amount with its unit.
    fileprivate static var byteNumber: Shape {
        let number = Shape<Int>.integer(0...Int.max)
        return Shape(schema: ["anyOf": [number.schema, bytes.schema]]) { node, diagnostics in
            if case .scalar(let text, isQuoted: false) = node.content, let number = Int64(text), number >= 0 {
                return number
            }
            return bytes.read(node, &diagnostics)
        } writer: {
            number.write(Int($0))
        }
    }
}
