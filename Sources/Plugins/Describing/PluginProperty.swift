import DumpCore
import Settings
import SystemPackage

/// One key that a plugin's settings may have: the subset of JSON Schema that `plugin.json` knows.
struct PluginProperty: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case string, integer, boolean, array
    }

    enum Format: String, CaseIterable, Sendable {
        case absolutePath = "absolute-path"
        case duration, bytes, user
    }

    var kind = Kind.string
    var description = ""
    var standard: PlainValue?
    var leastLength: Int?
    var pattern: String?
    var choices: [String]?
    var format: Format?
    var least: Int?
    var most: Int?
    var items: Kind?
    var fewest: Int?

    init() {}

    static var shape: ObjectShape<PluginProperty> {
        ObjectShape(default: PluginProperty())
            .required("type", \.kind, .choice, "string, integer, boolean or array.")
            .required("description", \.description, .name, "A sentence for the operator.")
            .optional("default", \.standard, .plain, "What the key is when the operator leaves it out.")
            .optional("minLength", \.leastLength, .integer(0...1_000_000), "The least length of a string.")
            .optional("pattern", \.pattern, .pattern, "A regular expression for all of a string.")
            .optional("enum", \.choices, .list(of: .line, atLeast: 1), "The strings that are allowed.")
            .optional("format", \.format, .choice, "What a string is.")
            .optional("minimum", \.least, .integer(Int.min...Int.max), "The least value of an integer.")
            .optional("maximum", \.most, .integer(Int.min...Int.max), "The greatest value of an integer.")
            .optional("items", \.items, .items, "What an array holds.")
            .optional("minItems", \.fewest, .integer(0...1_000_000), "The least number of entries in an array.")
            .check("type", "minLength", "pattern", "enum", "format", "minimum", "maximum", "items", "minItems") {
                $0.misplaced
            }
            .check("default", "type") { $0.wrongDefault }
    }

    /// A rule that does not belong to the type would never be applied.
    private var misplaced: Fault? {
        let rules: [(name: String, isThere: Bool, kind: Kind)] = [
            ("minLength", leastLength != nil, .string), ("pattern", pattern != nil, .string),
            ("enum", choices != nil, .string), ("format", format != nil, .string),
            ("minimum", least != nil, .integer), ("maximum", most != nil, .integer), ("items", items != nil, .array),
            ("minItems", fewest != nil, .array),
        ]
        if let rule = rules.first(where: { $0.isThere && $0.kind != kind }) {
            return Fault("'\(rule.name)' is for the type \(rule.kind.rawValue), not for \(kind.rawValue)")
        }
        if kind == .array, items == nil { return Fault("an array needs 'items': {\"type\": \"string\"}") }
        if let least, let most, least > most { return Fault("'minimum' is greater than 'maximum'") }
        if format != nil, pattern != nil || choices != nil || leastLength != nil {
            return Fault("'format' says all that a string can be: leave out the other rules")
        }
        return nil
    }

    private var wrongDefault: Fault? {
        guard misplaced == nil, let standard else { return nil }
        if kind == .string, case .text = standard {
        } else if kind == .string {
            return Fault("the default of a string must be in quotes")
        }
        var diagnostics = Diagnostics()
        guard value.read(SettingsNode(of: standard), &diagnostics) == nil else { return nil }
        return Fault("the default is not a value that the key may have", hint: diagnostics.all.first?.message)
    }
}

extension PluginProperty {
    /// The value that a program gets, as a job file has it.
    var value: Shape<PlainValue> {
        switch kind {
        case .string: string
        case .integer:
            .carrying(.integer((least ?? Int.min)...(most ?? Int.max))) {
                .integer(Int64($0))
            } from: {
                $0.number
            }
        case .boolean:
            .carrying(.boolean) {
                .boolean($0)
            } from: {
                $0 == .boolean(true)
            }
        case .array where items == .integer:
            .carrying(.list(of: .integer(Int.min...Int.max), atLeast: fewest ?? 0)) {
                .list($0.map { .integer(Int64($0)) })
            } from: {
                $0.elements.map(\.number)
            }
        case .array:
            .carrying(.list(of: .line, atLeast: fewest ?? 0)) {
                .list($0.map { .text($0) })
            } from: {
                $0.elements.map(\.words)
            }
        }
    }

    private var string: Shape<PlainValue> {
        switch format {
        case .absolutePath:
            return .carrying(.absolutePath) {
                .text($0.string)
            } from: {
                FilePath($0.words)
            }
        case .duration:
            return .carrying(
                .duration(atLeast: .seconds(1)).checked {
                    $0 == .seconds($0.components.seconds) ? nil : Fault("must be whole seconds")
                }
            ) {
                .integer($0.components.seconds)
            } from: {
                .seconds($0.number)
            }
        case .bytes:
            return .carrying(.bytes) {
                .integer($0)
            } from: {
                Int64($0.number)
            }
        case .user:
            return .carrying(.userName) {
                .text($0)
            } from: {
                $0.words
            }
        case nil: break
        }
        var shape = Shape<String>.line
        if let pattern { shape = .matching(pattern, "text that matches \(pattern)") }
        if let leastLength, leastLength > 0 {
            shape = shape.checked(["minLength": .integer(Int64(leastLength))]) {
                $0.count < leastLength
                    ? Fault("must have at least \(leastLength == 1 ? "one character" : "\(leastLength) characters")")
                    : nil
            }
        }
        if let choices {
            shape = shape.checked(["enum": .list(choices.map { .text($0) })]) { text in
                choices.contains(text)
                    ? nil
                    : Fault("expected \(choices.joined(separator: ", "))", hint: Self.nearest(to: text, among: choices))
            }
        }
        return .carrying(shape) {
            .text($0)
        } from: {
            $0.words
        }
    }

    private static func nearest(to text: String, among choices: [String]) -> String? {
        nearestWord(to: text, among: choices).map { "Did you mean '\($0)'?" }
    }
}

extension PlainValue {
    fileprivate var number: Int { if case .integer(let number) = self { Int(number) } else { 0 } }
    fileprivate var words: String { if case .text(let text) = self { text } else { "" } }
    fileprivate var elements: [PlainValue] { if case .list(let elements) = self { elements } else { [] } }
}

extension Shape<PlainValue> {
    /// The values of another shape, as data for a program.
    fileprivate static func carrying<Element>(
        _ shape: Shape<Element>, to plain: @escaping @Sendable (Element) -> PlainValue,
        from element: @escaping @Sendable (PlainValue) -> Element
    ) -> Shape {
        Shape(schema: shape.schema) { node, diagnostics in
            shape.read(node, &diagnostics).map(plain)
        } writer: {
            shape.write(element($0))
        }
    }

    /// Whatever a file holds, as it would be understood without a shape.
    fileprivate static var plain: Shape {
        Shape(schema: [:]) { node, diagnostics in
            PlainValue(of: node)
        } writer: {
            $0
        }
    }
}

extension Shape<String> {
    fileprivate static var pattern: Shape {
        line.checked { text in
            (try? Regex<AnyRegexOutput>(text)) == nil
                ? Fault("is not a regular expression that Muster understands") : nil
        }
    }
}

extension Shape<PluginProperty.Kind> {
    /// `{"type": "string"}`.
    fileprivate static var items: Shape {
        ObjectShape(default: Items()).required("type", \.kind, .choice, "string or integer.").shape.carried
    }
}

/// What an array holds.
private struct Items: Sendable {
    var kind = PluginProperty.Kind.string
}

extension Shape<Items> {
    fileprivate var carried: Shape<PluginProperty.Kind> {
        let shape = checked { [.string, .integer].contains($0.kind) ? nil : Fault("must be string or integer") }
        return Shape<PluginProperty.Kind>(schema: schema) { node, diagnostics in
            shape.read(node, &diagnostics)?.kind
        } writer: { kind in
            var items = Items()
            items.kind = kind
            return shape.write(items)
        }
    }
}
