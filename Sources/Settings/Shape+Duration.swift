import DumpCore

extension Shape<Duration> {
    /// A span of time such as `90s`, `1h30m`, `2w` or `500ms`. A number alone is refused, unless it is 0.
    public static func duration(
        atLeast least: Duration = .zero, atMost most: Duration = .seconds(3650 * 86400)
    ) -> Shape {
        Shape(schema: durationSchema) { node, diagnostics in
            if case .scalar(let text, _) = node.content, !node.isNull {
                if let duration = Duration(settingsText: text) { return duration }
                if let fault = Duration.missingUnit(in: text) {
                    diagnostics.report(fault, at: node)
                    return nil
                }
            }
            diagnostics.report(expected: "a duration such as 90s, 5m, 6h or 1d", at: node)
            return nil
        } writer: {
            .text($0.settingsText)
        }.checked { duration in
            guard duration < least || duration > most else { return nil }
            let limit = duration < least ? "at least \(least.settingsText)" : "at most \(most.settingsText)"
            return Fault("must be \(limit), found \(duration.settingsText)")
        }
    }
}

extension Shape<Duration?> {
    /// A limit in time: a duration longer than zero, or `none`.
    public static var timeLimit: Shape {
        let duration = Shape<Duration>.duration(atLeast: .milliseconds(1))
        return Shape(schema: ["anyOf": [duration.schema, ["const": "none"]]]) { node, diagnostics in
            if case .scalar("none", _) = node.content { return .some(nil) }
            if node.isNull {
                diagnostics.report(expected: "a duration or none", at: node, hint: "Write none for no limit.")
                return nil
            }
            return duration.read(node, &diagnostics).map { .some($0) }
        } writer: { limit in
            limit.map(duration.write) ?? "none"
        }
    }
}

private let durationPattern = "0|([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?"

private let durationSchema: PlainValue = [
    "type": ["string", "integer"], "pattern": .text("^(\(durationPattern))$"), "minLength": 1, "minimum": 0,
    "maximum": 0,
]

extension Duration {
    /// What `text` spells in the form that settings files use, or nil.
    public init?(settingsText text: String) {
        guard !text.isEmpty, text.matches(all: durationPattern) else { return nil }
        var total: Int64 = 0
        for part in text.matches(of: /([0-9]+)([a-z]*)/) {
            // Only the number 0 needs no unit. The pattern lets no other unit through.
            let unit = Self.textUnits.first { $0.name == part.output.2 }?.milliseconds ?? 0
            guard let count = Int64(part.output.1) else { return nil }
            let (milliseconds, tooLong) = count.multipliedReportingOverflow(by: unit)
            let (sum, tooMuch) = total.addingReportingOverflow(milliseconds)
            guard !tooLong, !tooMuch else { return nil }
            total = sum
        }
        self = .milliseconds(total)
    }

    /// Why `text`, a number alone, is not a duration; nil if it is something else. What counts hours to one reader counts seconds to another.
    public static func missingUnit(in text: String) -> Fault? {
        guard text.matches(all: "[0-9]{1,9}"), text != "0" else { return nil }
        return Fault("\(text) has no unit", hint: "Write \(text)s, \(text)m, \(text)h or \(text)d.")
    }
}
