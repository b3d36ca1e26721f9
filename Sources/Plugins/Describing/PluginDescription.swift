import Settings
import YAML

/// What `plugin.json` says of a plugin: all that has to be known to read a job file and to run its program.
public struct PluginDescription: Sendable {
    public enum Verb: String, CaseIterable, Sendable {
        case prepare, dump, undo, restore
    }

    public enum Freeze: String, CaseIterable, Sendable {
        /// The program decides the moment, or reads what is in use.
        case none
        /// It says when its point in time is open, and waits.
        case session
    }

    /// The one that this Muster speaks.
    public static let protocolVersion = 1

    var protocolVersion = Self.protocolVersion
    public var name = ""
    public var version = ""
    public var summary = ""
    public var verbs: [Verb] = []
    public var freeze = Freeze.none
    var settings = PluginSettingsSchema()
    var secrets: [PluginSecret] = []
    /// Patterns of files that are never the same twice.
    var volatile: [String] = []

    init() {}

    /// Reads a description. Nil after every mistake in it was reported.
    static func read(_ bytes: [UInt8], name: String, _ diagnostics: inout Diagnostics) -> PluginDescription? {
        guard let root = YAMLComposer.compose(bytes, as: .description, &diagnostics) else { return nil }
        // What another version has as keys is not ours to judge.
        if let version = root["protocol"], case .scalar(let text, _) = version.content, text != "\(protocolVersion)" {
            diagnostics.report(
                Fault(
                    "the plugin speaks version \(text) of the protocol, and this Muster version \(protocolVersion)",
                    hint: "Install the plugin of this Muster, or a Muster that knows version \(text)."), at: version)
            return nil
        }
        guard let description = shape.read(root, &diagnostics) else { return nil }
        guard !reportNames(in: root, &diagnostics) else { return nil }
        guard description.name == name else {
            diagnostics.report(
                Fault(
                    "must be '\(name)', as its directory is called", hint: "Rename the directory, the program, or this."
                ),
                at: root["name"] ?? root)
            return nil
        }
        return description
    }

    static var shape: ObjectShape<PluginDescription> {
        ObjectShape(default: PluginDescription())
            .required("protocol", \.protocolVersion, .integer(1...1_000_000), "The version of the protocol: 1.")
            .required("name", \.name, .pluginName, "The name of the directory and of the program.")
            .required("version", \.version, .name, "The version of the plugin.")
            .required("summary", \.summary, .name, "A sentence that says what it dumps.")
            .required(
                "verbs", \.verbs, .list(of: .choice, atLeast: 2), "What the program can: prepare, dump, undo, restore."
            )
            .required("freeze", \.freeze, .choice, "session or none.")
            .key("settings", \.settings, PluginSettingsSchema.shape.shape, "Which keys a dump may have.")
            .key("secrets", \.secrets, .secrets, "Which keys are secrets, each with a sentence.")
            .key("volatile", \.volatile, .list(of: .name), "Patterns of files that differ each time.")
            .check("verbs") { description in
                let missing = [Verb.prepare, .dump].filter { !description.verbs.contains($0) }
                return missing.first.map { Fault("must have prepare and dump; '\($0.rawValue)' is missing") }
            }
            .check("volatile") { description in
                description.volatile.contains { $0.utf8.contains(UInt8(ascii: "/")) }
                    ? Fault("must be names of files, which have no '/'", hint: "Leave the directories out.") : nil
            }
    }

    /// Two keys, or two variables of the program, must not be called the same. True after one was reported, at its place.
    private static func reportNames(in root: SettingsNode, _ diagnostics: inout Diagnostics) -> Bool {
        var taken: [String: String] = [:]
        var isFaulty = false
        for node in [root["settings"]?["properties"], root["secrets"]].compactMap(\.self) {
            guard case .mapping(let entries) = node.content else { continue }
            for entry in entries {
                guard let fault = fault(inName: entry.key, beside: taken[entry.key.asVariable]) else {
                    taken[entry.key.asVariable] = entry.key
                    continue
                }
                diagnostics.report(Diagnostic(entry.keyMark, entry.value.path, fault.message, hint: fault.hint))
                isFaulty = true
            }
        }
        return isFaulty
    }

    /// - Parameter other: a key that a program could not tell from it.
    private static func fault(inName name: String, beside other: String?) -> Fault? {
        let hint = "Call it otherwise."
        if let every = ["provider", "run_as", "deadline"].first(where: { $0.asVariable == name.asVariable }) {
            return Fault("a plugin's key cannot be '\(name)': every dump has '\(every)'", hint: hint)
        }
        guard let other else { return nil }
        if other == name { return Fault("'\(name)' is a property and a secret", hint: hint) }
        return Fault(
            "'\(name)' and '\(other)' cannot both be keys: both would be MUSTER_SETTING_\(name.asVariable)", hint: hint)
    }
}

/// A key whose value is a secret.
struct PluginSecret: Sendable {
    var name: String
    var help: String
}

/// `settings` of a description.
struct PluginSettingsSchema: Sendable {
    struct Property: Sendable {
        var name: String
        var property: PluginProperty
    }

    private enum Kind: String, CaseIterable, Sendable { case object }

    private var kind = Kind.object
    private var isOpen = false
    private(set) var properties: [Property] = []
    private(set) var required: [String] = []

    static var shape: ObjectShape<PluginSettingsSchema> {
        ObjectShape(default: PluginSettingsSchema())
            .key("type", \.kind, .choice, "object.")
            .key(
                "properties", \.properties,
                .map(.keys, of: PluginProperty.shape.shape) {
                    Property(name: $0, property: $1)
                } parts: {
                    ($0.name, $0.property)
                }, "The keys."
            )
            .key("required", \.required, .list(of: .name), "The keys that the operator must write.")
            .key("additionalProperties", \.isOpen, .boolean, "false: no other keys are ever taken.")
            .check("additionalProperties") { $0.isOpen ? Fault("must be false: Muster takes no other keys") : nil }
            .check("required", "properties") { $0.requiredFault }
    }

    private var requiredFault: Fault? {
        for name in required {
            guard let property = properties.first(where: { $0.name == name }) else {
                return Fault("'\(name)' is required and not among the properties")
            }
            if property.property.standard != nil {
                return Fault("'\(name)' is required and has a default, which would never count")
            }
        }
        return nil
    }
}

extension Shape<String> {
    static var pluginName: Shape { matching(NameRule.plugins.pattern, NameRule.plugins.expected) }
}

extension NameRule {
    static let plugins = NameRule(
        pattern: "[a-z][a-z0-9_-]{0,30}",
        expected: "a name of at most 31 small letters, digits, _ and - that begins with a letter")
    fileprivate static let keys = NameRule(
        pattern: "[A-Za-z][A-Za-z0-9_-]{0,62}",
        expected: "a name of at most 63 letters, digits, _ and - that begins with a letter")
}

extension Shape<[PluginSecret]> {
    fileprivate static var secrets: Shape {
        .map(.keys, of: .name) {
            PluginSecret(name: $0, help: $1)
        } parts: {
            ($0.name, $0.help)
        }
    }
}

extension YAMLComposer.Words {
    fileprivate static let description = Self(
        file: "description of a plugin", ifEmpty: "It must say what the plugin is: see plugins/README.md.",
        ifSecond: "A file describes one plugin.", language: "JSON")
}

extension String {
    /// A key as a part of the name of an environment variable.
    var asVariable: String { String(uppercased().map { $0 == "-" ? "_" : $0 }) }
}
