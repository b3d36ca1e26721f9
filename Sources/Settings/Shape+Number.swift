extension Shape<Int> {
    /// A whole number within limits, written in decimal digits without quotes.
    public static func integer(_ range: ClosedRange<Int>) -> Shape {
        Shape.scalar(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            schema: [
                "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                "maximum": .integer(Int64(range.upperBound)),
            ]
        ) { text, isQuoted in
            // A leading zero means octal to some readers of YAML, and nothing to others.
            guard !isQuoted, text.matches(all: "0|-?[1-9][0-9]*"), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        } write: {
            .integer(Int64($0))
        }
    }
}
