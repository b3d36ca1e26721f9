/// What stands under a dump's name: a kind, and settings that it has read.
public struct DumpSettings: Sendable {
    public var kind: ProviderKind
    public var settings: any ProviderSettings

    public init(kind: ProviderKind, settings: any ProviderSettings) {
        self.kind = kind
        self.settings = settings
    }
}

extension Shape<DumpSettings> {
    /// A mapping whose key `provider` names one of `kinds`, and whose other keys are those of that kind.
    public static func provider(among kinds: ProviderKinds) -> Shape {
        Shape(schema: ["oneOf": .list(kinds.all.map(\.schema))]) { node, diagnostics in
            guard let found = kind(of: node, among: kinds, &diagnostics),
                let settings = found.shape.read(node, [providerKey], &diagnostics)
            else { return nil }
            return DumpSettings(kind: found, settings: settings)
        } writer: {
            $0.kind.written($0.settings)
        }
    }

    private static func kind(
        of node: SettingsNode, among kinds: ProviderKinds, _ diagnostics: inout Diagnostics
    ) -> ProviderKind? {
        guard case .mapping(let entries) = node.content else {
            diagnostics.report(
                mappingExpectedAt: node, known: [providerKey],
                example: "{\(providerKey): \(kinds.builtIn.first?.name ?? "")}")
            return nil
        }
        guard let provider = node[providerKey] else {
            if let entry = entries.first(where: { nearestWord(to: $0.key, among: [providerKey]) != nil }) {
                diagnostics.report(unknownKey: entry, in: node, near: providerKey, known: [])
            } else {
                diagnostics.report(
                    Diagnostic(
                        node.mark, node.path, "missing key '\(providerKey)' \(node.path.place)",
                        hint: "It says what to dump: \(listed(kinds.usableNames, "or"))."))
            }
            return nil
        }
        guard let name = Shape<String>.name.read(provider, &diagnostics) else { return nil }
        do {
            if let kind = try kinds.kind(named: name) { return kind }
        } catch {
            diagnostics.report(error, at: provider)
            return nil
        }
        let names = kinds.names
        let hint =
            nearestWord(to: name, among: names).map { "Did you mean '\($0)'?" }
            ?? "Known: \(listed(kinds.usableNames, "and"))."
        diagnostics.report(Fault("unknown provider \(excerpt(name))", hint: hint), at: provider)
        return nil
    }
}

private let providerKey = "provider"

extension ProviderKind {
    fileprivate func written(_ settings: any ProviderSettings) -> PlainValue {
        .mapping([PlainValue.Member(providerKey, .text(name))] + shape.write(settings).members)
    }

    fileprivate var schema: PlainValue {
        PlainValue.mapping([PlainValue.Member("description", .text(summary))]).merging(
            shape.schema([(providerKey, name)]))
    }
}
