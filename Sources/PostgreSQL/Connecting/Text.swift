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

    /// Text of a database in whatever encoding: bytes that are not UTF-8 become `\xE9`, so that two names never become one.
    init(showing bytes: UnsafeRawBufferPointer) {
        if let text = String(validating: bytes, as: UTF8.self) {
            self = text
            return
        }
        self = ""
        var rest = bytes[...]
        while let first = rest.first {
            let length = (1...4).first { String(validating: rest.prefix($0), as: UTF8.self) != nil }
            self +=
                length.map { String(decoding: rest.prefix($0), as: UTF8.self) }
                ?? "\\x" + String(first, radix: 16, uppercase: true)
            rest = rest.dropFirst(length ?? 1)
        }
    }
}
