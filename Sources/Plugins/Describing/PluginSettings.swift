import DumpCore
import Settings

/// What a job file says of a dump that a plugin makes.
struct PluginSettings: ProviderSettings {
    /// By key. What is nowhere written and has no default is not there.
    var values: [String: PlainValue] = [:]
    /// By key.
    var secrets: [String: SecretSource] = [:]
    var runAs: String?
    /// Nil: no limit.
    var deadline: Duration? = .seconds(24 * 3600)

    var programUser: String? { runAs }

    /// A value that has a default, or must be there.
    subscript(value name: String) -> PlainValue {
        get { values[name] ?? .null }
        set { values[name] = newValue }
    }

    subscript(optional name: String) -> PlainValue? {
        get { values[name] }
        set { values[name] = newValue }
    }

    subscript(secret name: String) -> SecretSource? {
        get { secrets[name] }
        set { secrets[name] = newValue }
    }
}

extension PluginDescription {
    /// What a dump that says nothing has.
    var standardSettings: PluginSettings {
        var standard = PluginSettings()
        for entry in settings.properties { standard.values[entry.name] = entry.property.standardValue }
        return standard
    }

    /// How the settings of its dumps are written.
    var dumpShape: ObjectShape<PluginSettings> {
        var shape = ObjectShape(default: standardSettings)
        for (name, property) in settings.properties.map({ ($0.name, $0.property) }) {
            if settings.required.contains(name) {
                shape = shape.required(name, \.[value: name], property.value, property.description)
            } else if property.standard != nil {
                shape = shape.key(name, \.[value: name], property.value, property.description)
            } else {
                shape = shape.optional(name, \.[optional: name], property.value, property.description)
            }
        }
        for secret in secrets {
            shape = shape.optional(secret.name, \.[secret: secret.name], .secret, secret.help)
        }
        return
            shape
            .optional(
                "run_as", \.runAs, .userName,
                "The system user that the plugin's program runs as. Needs root, unless it is the user that runs Muster."
            )
            .key("deadline", \.deadline, .timeLimit, "How long the whole dump may take before Muster stops it.")
    }
}

extension PluginProperty {
    /// The default as a program gets it.
    fileprivate var standardValue: PlainValue? {
        guard let standard else { return nil }
        var ignored = Diagnostics()
        return value.read(SettingsNode(of: standard), &ignored)
    }
}
