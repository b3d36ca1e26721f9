/// How one kind of value is written in a settings file: read from it, shown again, and described as JSON Schema.
///
/// Every key of every module is declared with shapes, once; decoding, `config show` and `config schema` all follow from that.
public struct Shape<Value: Sendable>: Sendable {
    private let describe: @Sendable () -> PlainValue
    let reader: @Sendable (SettingsNode, inout Diagnostics) -> Value?
    let writer: @Sendable (Value) -> PlainValue

    /// - Parameters:
    ///   - schema: put together when it is asked for, which few commands do.
    ///   - reader: returns nil after it has reported why, and goes on after the first mistake.
    ///   - writer: what `reader` would read as the same value, except that a secret is left out.
    public init(
        schema: @escaping @autoclosure @Sendable () -> PlainValue,
        reader: @escaping @Sendable (SettingsNode, inout Diagnostics) -> Value?,
        writer: @escaping @Sendable (Value) -> PlainValue
    ) {
        describe = schema
        self.reader = reader
        self.writer = writer
    }

    /// What JSON Schema (draft 2020-12) says of it.
    public var schema: PlainValue { describe() }

    /// The value at `node`, or nil after every mistake in it was reported.
    public func read(_ node: SettingsNode, _ diagnostics: inout Diagnostics) -> Value? {
        if case .refused = node.content { return nil }
        return reader(node, &diagnostics)
    }

    /// The value as a settings file would hold it.
    public func write(_ value: Value) -> PlainValue { writer(value) }

    /// The same, but a value for which `rule` finds a fault is refused. What the schema can say of the rule is in `schema`.
    public func checked(_ schema: PlainValue = [:], _ rule: @escaping @Sendable (Value) -> Fault?) -> Shape {
        Shape(schema: self.schema.merging(schema)) { node, diagnostics in
            guard let value = read(node, &diagnostics) else { return nil }
            guard let fault = rule(value) else { return value }
            diagnostics.report(fault, at: node)
            return nil
        } writer: {
            write($0)
        }
    }
}

extension Shape {
    /// The same with a value that may stand there, for documents and editors.
    public func example(_ value: PlainValue) -> Shape {
        Shape(schema: schema.merging(["examples": [value]]), reader: reader, writer: writer)
    }

    /// One word, number or text. `parse` returns nil for what is not as `expected`; a null never reaches it.
    static func scalar(
        _ expected: String, schema: @escaping @autoclosure @Sendable () -> PlainValue,
        parse: @escaping @Sendable (_ text: String, _ isQuoted: Bool) -> Value?,
        write: @escaping @Sendable (Value) -> PlainValue
    ) -> Shape {
        Shape(schema: schema()) { node, diagnostics in
            if case .scalar(let text, let isQuoted) = node.content, !node.isNull, let value = parse(text, isQuoted) {
                return value
            }
            diagnostics.report(expected: expected, at: node)
            return nil
        } writer: {
            write($0)
        }
    }

    /// Nothing, or what `shape` reads. NixOS writes a null for an option that is not set.
    static func optional<Wrapped>(_ shape: Shape<Wrapped>) -> Shape<Wrapped?> where Value == Wrapped? {
        Shape<Wrapped?>(schema: ["anyOf": [shape.schema, ["type": "null"]]]) { node, diagnostics in
            guard !node.isNull else { return .some(nil) }
            return shape.read(node, &diagnostics).map { .some($0) }
        } writer: { value in
            value.map(shape.write) ?? .null
        }
    }
}
