/// How a mapping with known keys is written in a settings file, and which part of `Value` each key sets.
///
///     ObjectShape(default: Settings())
///         .required("location", \.location, .name, "Where it is.")
///         .key("lock_wait", \.lockWait, .duration(), "How long to wait for the lock.")
///         .optional("password", \.password, .secret, "What to log in with.")
///         .check("password", "location") { … }
public struct ObjectShape<Value: Sendable>: Sendable {
    /// What a mapping without any keys means.
    let defaults: Value
    var fields: [Field] = []
    var rules: [Rule] = []
    /// A mapping that works, for who wrote something else.
    var example: String?

    struct Field: Sendable {
        var name: String
        /// A sentence for the author of the file.
        var help: String
        var isRequired: Bool
        var schema: @Sendable () -> PlainValue
        /// Sets its part of the value. False if it could not, for a reason that was reported.
        var read: @Sendable (SettingsNode, inout Value, inout Diagnostics) -> Bool
        var write: @Sendable (Value) -> PlainValue
    }

    /// What must hold between several keys.
    struct Rule: Sendable {
        var keys: [String]
        var fault: @Sendable (Value) -> Fault?
    }

    public init(default value: Value) { defaults = value }

    /// A key that may be left out; its default is that of the value.
    public func key<Part: Sendable>(
        _ name: String, _ place: any WritableKeyPath<Value, Part> & Sendable, _ shape: Shape<Part>, _ help: String
    ) -> ObjectShape {
        adding(
            name, place, shape, help, isRequired: false,
            schema: shape.schema.merging(["default": shape.write(defaults[keyPath: place])]))
    }

    /// A key that must be there.
    public func required<Part: Sendable>(
        _ name: String, _ place: any WritableKeyPath<Value, Part> & Sendable, _ shape: Shape<Part>, _ help: String
    ) -> ObjectShape {
        adding(name, place, shape, help, isRequired: true, schema: shape.schema)
    }

    /// A key that may be left out, or be null, which both mean nil.
    public func optional<Part: Sendable>(
        _ name: String, _ place: any WritableKeyPath<Value, Part?> & Sendable, _ shape: Shape<Part>, _ help: String
    ) -> ObjectShape {
        key(name, place, .optional(shape), help)
    }

    /// A mapping within this one whose keys set parts of the same value.
    ///
    /// - Parameter main: the key that a list in the mapping's place is most likely meant for.
    public func group(
        _ name: String, _ help: String, main: String? = nil, _ keys: (ObjectShape) -> ObjectShape
    ) -> ObjectShape {
        let inner = keys(ObjectShape(default: defaults))
        return adding(
            Field(name: name, help: help, isRequired: false, schema: { inner.schema() }) { node, value, diagnostics in
                if let main, let list = node.asList {
                    diagnostics.report(
                        expected: "a mapping", at: node, hint: "Write '\(name): {\(main): [\(list)]}'.")
                    return false
                }
                return inner.fill(&value, from: node, &diagnostics)
            } write: {
                inner.write($0)
            })
    }

    /// The same, with a mapping that works, such as `{daily: 7}`, shown to who writes something else.
    public func example(_ text: String) -> ObjectShape {
        var longer = self
        longer.example = text
        return longer
    }

    /// A rule between several keys, looked at once all of them were read without a mistake. Its fault is reported at the first
    /// of them that is in the file.
    public func check(_ keys: String..., rule: @escaping @Sendable (Value) -> Fault?) -> ObjectShape {
        precondition(keys.allSatisfy { key in fields.contains { $0.name == key } })
        var longer = self
        longer.rules.append(Rule(keys: keys, fault: rule))
        return longer
    }

    private func adding<Part: Sendable>(
        _ name: String, _ place: any WritableKeyPath<Value, Part> & Sendable, _ shape: Shape<Part>,
        _ help: String, isRequired: Bool, schema: @escaping @autoclosure @Sendable () -> PlainValue
    ) -> ObjectShape {
        adding(
            Field(name: name, help: help, isRequired: isRequired, schema: schema) { node, value, diagnostics in
                guard let part = shape.read(node, &diagnostics) else { return false }
                value[keyPath: place] = part
                return true
            } write: {
                shape.write($0[keyPath: place])
            })
    }

    private func adding(_ field: Field) -> ObjectShape {
        precondition(!fields.contains { $0.name == field.name })
        var longer = self
        longer.fields.append(field)
        return longer
    }
}
