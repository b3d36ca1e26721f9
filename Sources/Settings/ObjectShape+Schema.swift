extension ObjectShape {
    /// What JSON Schema says of such a mapping.
    ///
    /// - Parameter constants: further keys, each with its only value.
    public func schema(with constants: [(key: String, value: String)] = []) -> PlainValue {
        let fixed = constants.map { PlainValue.Member($0.key, ["const": .text($0.value)]) }
        let keys = fields.map { field in
            PlainValue.Member(
                field.name,
                PlainValue.mapping([PlainValue.Member("description", .text(field.help))]).merging(field.schema()))
        }
        let required = constants.map(\.key) + fields.filter(\.isRequired).map(\.name)
        var schema: PlainValue = [
            "type": "object", "properties": .mapping(fixed + keys), "additionalProperties": false,
        ]
        if !required.isEmpty { schema["required"] = .list(required.map { .text($0) }) }
        return schema
    }
}
