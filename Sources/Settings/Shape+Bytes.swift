import DumpCore

extension Shape<Int64> {
    /// An amount of data, as `500MiB` or `20GiB`.
    public static var bytes: Shape {
        Shape.scalar(
            "an amount of data", schema: ["type": "string", "pattern": .text("^([1-9][0-9]*(KiB|MiB|GiB|TiB))$")]
        ) {
            text, _ in
            Self.bytes(in: text)
        } write: {
            .text(Self.text($0))
        }
    }

    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    private static func bytes(in text: String) -> Int64? {
        guard let unit = units.first(where: { text.hasSuffix($0.name) }) else { return nil }
        let digits = text.dropLast(unit.name.count)
        guard let number = Int64(digits), number > 0, digits.allSatisfy(\.isNumber) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : product
    }

    /// In the largest unit of which it is a whole number.
    private static func text(_ bytes: Int64) -> String {
        let unit = units.first { bytes % $0.bytes == 0 } ?? units[3]
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
