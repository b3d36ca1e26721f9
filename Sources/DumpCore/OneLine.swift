extension String {
    /// Control characters as `\` and three octal digits, as inventories have them: the name of a file may hold anything, and what names it is one
    /// line still.
    public var onOneLine: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            guard scalar.isControl else {
                line.unicodeScalars.append(scalar)
                continue
            }
            let digits = String(scalar.value, radix: 8)
            line += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        return line
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 || value == 0x7F }
}
