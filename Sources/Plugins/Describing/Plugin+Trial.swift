import DumpCore
import Processes
import Settings
import SystemPackage
import YAML

extension Plugin {
    /// A provider for settings that are not in a job. The file holds the settings themselves, or is a job file, whose first dump of this
    /// plugin counts.
    ///
    /// - Parameter file: for messages.
    public func provider(
        for settings: [UInt8], of file: FilePath, runner: ProgramRunner
    ) throws(DumpError) -> any Provider {
        PluginProvider(
            plugin: self, settings: try read(settings, of: file), means: ProviderMeans(job: "trial", runner: runner))
    }

    /// The secrets that such settings name, as text to look for.
    public func secrets(
        of settings: [UInt8], in file: FilePath, runner: ProgramRunner
    ) async throws(DumpError) -> [String] {
        let means = ProviderMeans(job: "trial", runner: runner)
        return try await PluginSource(self, read(settings, of: file), by: means, dump: "trial").secretTexts
    }

    private func read(_ settings: [UInt8], of file: FilePath) throws(DumpError) -> PluginSettings {
        var diagnostics = Diagnostics()
        let root = YAMLComposer.compose(settings, as: .settings, &diagnostics)
        let node = root.flatMap { firstDump(in: $0) } ?? root
        guard let node, let read = description.dumpShape.read(node, besides: ["provider"], &diagnostics),
            diagnostics.all.isEmpty
        else { throw DumpError(.settings, in: file, diagnostics.all) }
        return read
    }

    private func firstDump(in root: SettingsNode) -> SettingsNode? {
        guard case .mapping(let dumps)? = root["dumps"]?.content else { return nil }
        return dumps.map(\.value).first { dump in
            if case .scalar(name, _)? = dump["provider"]?.content { true } else { false }
        }
    }

    /// Whether files of that name are never the same twice, as the plugin says.
    public func isVolatile(_ name: String) -> Bool {
        description.volatile.contains { pattern in
            matchesWildly(pattern.unicodeScalars.map { NameToken(of: $0) }, Array(name.unicodeScalars))
        }
    }
}

/// A part of a pattern of names.
private struct NameToken: WildToken {
    let scalar: Unicode.Scalar

    init(of scalar: Unicode.Scalar) { self.scalar = scalar }

    var isWild: Bool { scalar == "*" }
    func matches(_ element: Unicode.Scalar) -> Bool { scalar == "?" || scalar == element }
}

extension YAMLComposer.Words {
    fileprivate static let settings = Self(
        file: "settings file", ifEmpty: "Write the settings of a dump, or {} if the plugin needs none.",
        ifSecond: "A file holds the settings of one dump.")
}

// MARK: For people

extension PluginDescription {
    /// One key of its dumps.
    public struct Key: Sendable, Encodable {
        public var name: String
        public var help: String
        public var isRequired: Bool
        public var isSecret: Bool
        /// As a job file has it; nil for none.
        public var standard: String?
        /// What it is: `integer`, `absolute-path`.
        public var type: String

        private enum CodingKeys: String, CodingKey {
            case name
            case help = "description"
            case isRequired = "required"
            case isSecret = "secret"
            case standard = "default"
            case type
        }
    }

    /// What a dump may say, but for what every dump may.
    public var keys: [Key] {
        settings.properties.map { entry in
            Key(
                name: entry.name, help: entry.property.description,
                isRequired: settings.required.contains(entry.name), isSecret: false,
                standard: entry.property.standard?.inline,
                type: entry.property.format?.rawValue ?? entry.property.kind.rawValue)
        }
            + secrets.map {
                Key(name: $0.name, help: $0.help, isRequired: false, isSecret: true, standard: nil, type: "secret")
            }
    }
}
