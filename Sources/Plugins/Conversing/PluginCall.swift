import DumpCore
import Linux
import Processes
import Settings
import SystemPackage

/// One verb of a plugin's program, with all that the program is given.
struct PluginCall: Sendable {
    let plugin: Plugin
    let verb: PluginDescription.Verb
    var settings: PlainValue = .mapping([])
    var secrets: [(name: String, secret: Secret)] = []
    var user: String?
    var isolation: Isolation?
    /// Where the program is found, if not where it is installed.
    var place: FilePath?
    /// What the program finds itself in. Nil: `/`.
    var directory: FilePath?
    /// The record to undo, or the request to restore: a variable, and what its file holds.
    var document: (variable: String, text: String)?
    /// Such as `MUSTER_JOB`.
    var names: [String: String] = [:]

    /// Whether it has to say `frozen`.
    var freezes: Bool { verb == .dump && plugin.description.freeze == .session }

    /// How long it has between SIGTERM and SIGKILL.
    private static let grace = Duration.seconds(10)

    func program(told input: ProgramInput) -> Program {
        var program = Program(
            place ?? plugin.program, [verb.rawValue], environment: environment,
            inheritedPrefixes: reachesContainer ? Program.engineVariables : [], user: user, isolation: isolation,
            secrets: documents + secrets.map { .file(namedBy: "MUSTER_SECRET_" + $0.name.asVariable, $0.secret) },
            input: input, grace: Self.grace)
        program.entersDirectory = directory != nil
        program.directory = directory
        program.endsAlone = true
        return program
    }

    /// By the setting that plugins call `container`. In a drill a program reaches nothing outside.
    private var reachesContainer: Bool {
        isolation == nil && settings.members.contains { $0.key == "container" && $0.value.scalar != nil }
    }

    private var documents: [HandedSecret] {
        [.document(namedBy: "MUSTER_SETTINGS", settings.json)]
            + (document.map { [.document(namedBy: $0.variable, $0.text)] } ?? [])
    }

    private var environment: [String: String] {
        var variables = names
        variables["MUSTER_PROTOCOL"] = "\(PluginDescription.protocolVersion)"
        variables["MUSTER_VERB"] = verb.rawValue
        for member in settings.members {
            if let text = member.value.scalar { variables["MUSTER_SETTING_" + member.key.asVariable] = text }
        }
        return variables
    }
}

extension PlainValue {
    /// A text, number or boolean as an environment variable has it.
    fileprivate var scalar: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .null, .list, .mapping: nil
        }
    }
}
