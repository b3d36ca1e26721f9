import DumpCore
import Settings

extension Shape<AnomalyRule> {
    /// One word, or a mapping that says more. Shown as a mapping, with every key.
    static var anomalyRule: Shape {
        let word = Shape<AnomalyRule.Action>.choice
        let rule = ObjectShape(default: AnomalyRule())
            .key("action", \.action, .choice, "warn, fail (nothing is published), or ignore.")
            .key(
                "below_percent", \.belowPercent, .integer(0...100),
                "A dump has shrunk when it is smaller than this percentage of the median of the last five runs."
            )
            .optional(
                "above_percent", \.abovePercent, .integer(100...1_000_000).example(200),
                "A dump has grown when it is larger than this percentage of that median. Not set: it may grow."
            ).shape
        return Shape(schema: ["anyOf": [word.schema, rule.schema]]) { node, diagnostics in
            if case .mapping = node.content { return rule.read(node, &diagnostics) }
            return word.read(node, &diagnostics).map { AnomalyRule($0) }
        } writer: {
            rule.write($0)
        }
    }
}
