extension String {
    /// Without white space at both ends.
    var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// With `mark` before each of `special`. By scalars: a quote with a combining accent is still a quote to PostgreSQL.
    func marking(_ special: Unicode.Scalar..., with mark: Unicode.Scalar) -> String {
        var marked = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if special.contains(scalar) { marked.append(mark) }
            marked.append(scalar)
        }
        return String(marked)
    }
}
