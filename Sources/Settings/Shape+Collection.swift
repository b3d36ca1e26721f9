import DumpCore

/// What the keys of a mapping may be that are names which the operator gives.
public struct NameRule: Sendable {
    /// A regular expression for all of the name.
    public var pattern: String
    /// What the pattern says, for people; reads on from "expected".
    public var expected: String
    /// Names that match and are taken nevertheless.
    public var reserved: [String]

    public init(pattern: String, expected: String, reserved: [String] = []) {
        self.pattern = pattern
        self.expected = expected
        self.reserved = reserved
    }

    /// Why `name` may not be used, or nil if it may.
    public func fault(in name: String) -> Fault? {
        guard name.matches(all: pattern) else { return Fault("expected \(expected), found \(quoted(name))") }
        return reserved.contains(name) ? Fault("the name \(quoted(name)) is reserved; choose another") : nil
    }

    fileprivate var schema: PlainValue {
        var schema: PlainValue = ["pattern": .text("^(\(pattern))$")]
        if !reserved.isEmpty { schema["not"] = ["enum": .list(reserved.map { .text($0) })] }
        return schema
    }
}

extension Shape {
    /// A list.
    public static func list<Element>(of element: Shape<Element>, atLeast count: Int = 0) -> Shape<[Element]>
    where Value == [Element] {
        Shape<[Element]>(
            schema: ["type": "array", "items": element.schema, "minItems": .integer(Int64(count))]
        ) { node, diagnostics in
            guard case .list(let nodes) = node.content else {
                diagnostics.report(
                    expected: "a list", at: node, hint: Element.self == String.self ? node.asListOfText : nil)
                return nil
            }
            guard nodes.count >= count else {
                diagnostics.report(Fault("needs at least \(count == 1 ? "one entry" : "\(count) entries")"), at: node)
                return nil
            }
            let values = nodes.map { element.read($0, &diagnostics) }
            return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
        } writer: { values in
            .list(values.map(element.write))
        }
    }

    /// A mapping from names that the operator gives to values of one shape. The file's order is kept.
    ///
    /// - Parameters:
    ///   - entry: makes one entry of the result.
    ///   - parts: takes it apart again.
    public static func map<Entry, Element>(
        _ names: NameRule, of element: Shape<Element>, atLeast count: Int = 0,
        entry: @escaping @Sendable (String, Element) -> Entry,
        parts: @escaping @Sendable (Entry) -> (name: String, value: Element)
    ) -> Shape<[Entry]> where Value == [Entry] {
        Shape<[Entry]>(
            schema: [
                "type": "object", "propertyNames": names.schema, "additionalProperties": element.schema,
                "minProperties": .integer(Int64(count)),
            ]
        ) { node, diagnostics in
            guard case .mapping(let all) = node.content else {
                diagnostics.report(mappingExpectedAt: node, known: [])
                return nil
            }
            let entries = indented(all, in: node, under: element.schema, &diagnostics)
            guard entries.count == all.count else { return nil }
            guard entries.count >= count else {
                diagnostics.report(Fault("needs at least \(count == 1 ? "one entry" : "\(count) entries")"), at: node)
                return nil
            }
            let values = entries.map { named in
                let fault = names.fault(in: named.key)
                if let fault {
                    let message = "\(node.path.subject): \(fault.message)"
                    diagnostics.report(Diagnostic(named.keyMark, node.path, message, hint: fault.hint))
                }
                let value = element.read(named.value, &diagnostics)
                return fault == nil ? value.map { entry(named.key, $0) } : nil
            }
            return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
        } writer: { entries in
            .mapping(entries.map(parts).map { PlainValue.Member($0.name, element.write($0.value)) })
        }
    }

    /// The entries but those that are keys of an entry before them which has none, and empty entries that lack them. They are reported.
    private static func indented(
        _ entries: [SettingsNode.Entry], in node: SettingsNode, under schema: @autoclosure () -> PlainValue,
        _ diagnostics: inout Diagnostics
    ) -> [SettingsNode.Entry] {
        guard entries.contains(where: { $0.value.isNull }) else { return entries }
        let keys = schema().schemaKeys
        var parents: Set<String> = []
        let others = entries.filter { entry in
            guard keys.contains(entry.key), let parent = node.emptyEntry(before: entry) else { return true }
            if parents.insert(parent.key).inserted { diagnostics.report(entry, indentedLike: parent) }
            return false
        }
        return others.filter { !parents.contains($0.key) }
    }
}

extension SettingsNode {
    /// What to write where a list of texts is wanted and one text is there, perhaps several with commas between. Nil for anything else, and for
    /// what should not be shown.
    fileprivate var asListOfText: String? {
        guard case .scalar(let text, _) = content, excerpt(text) == quoted(text), !text.contains("'") else {
            return nil
        }
        let items = text.split(atASCII: ",").map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard !items.isEmpty, items.allSatisfy({ !$0.isEmpty }) else { return nil }
        return "Write [\(items.map { "'\($0)'" }.joined(separator: ", "))]."
    }
}
