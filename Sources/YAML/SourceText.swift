import Settings

/// The text of a settings file: valid UTF-8 without characters that no settings file should have.
struct SourceText {
    let text: String

    /// Nil after the reason was reported.
    init?(_ bytes: [UInt8], _ diagnostics: inout Diagnostics) {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let bytes = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(byteOrderMark.count) : bytes[...]
        if let fault = Self.firstFault(in: bytes) {
            diagnostics.report(Diagnostic(fault.mark, .root, fault.message, hint: fault.hint))
            return nil
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// What libyaml says, in words that help.
    func explain(_ problem: YAMLProblem) -> Diagnostic {
        if let layout = misplaced(problem) { return layout }
        let hint = hint(for: problem)
        // A name after * or & is what the scanner misses, so it complains about what comes next.
        let isScanningName = problem.context?.hasSuffix("alias") == true || problem.context?.hasSuffix("anchor") == true
        let mark = isScanningName ? problem.contextMark ?? problem.mark : problem.mark
        var message = problem.message
        if let context = problem.context, let begin = problem.contextMark, !isScanningName {
            message += " \(context)" + (begin.line == mark.line ? "" : " that begins in line \(begin.line)")
        }
        return Diagnostic(mark, .root, message, hint: hint)
    }

    private func hint(for problem: YAMLProblem) -> String? {
        if problem.message.contains("mapping values are not allowed") {
            return "Put text that contains ': ' in quotes, and indent all keys of a mapping alike."
        }
        for mark in [problem.contextMark, problem.mark].compactMap({ $0 }) {
            switch character(at: mark) {
            case "\t": return "Indent with spaces, not with tabs."
            case let sign? where "*&!%@`".unicodeScalars.contains(sign):
                return "Put text that begins with \(sign) in quotes."
            default: continue
            }
        }
        return nil
    }

    private func character(at mark: Mark) -> Unicode.Scalar? {
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(mark.line - 1) else { return nil }
        return lines[mark.line - 1].dropFirst(mark.column - 1).first
    }

    private static func firstFault(in bytes: ArraySlice<UInt8>) -> (mark: Mark, message: String, hint: String?)? {
        var decoder = Unicode.UTF8()
        var iterator = bytes.makeIterator()
        var mark = Mark(line: 1, column: 1)
        while true {
            switch decoder.decode(&iterator) {
            case .emptyInput: return nil
            case .error: return (mark, "not valid UTF-8", "Save the file as UTF-8.")
            case .scalarValue("\n"): mark = Mark(line: mark.line + 1, column: 1)
            case .scalarValue(let scalar) where isForbidden(scalar):
                let digits = scalar.value.digits(4, radix: 16, uppercase: true)
                return (mark, "control character U+\(digits)", "Remove it.")
            case .scalarValue: mark.column += 1
            }
        }
    }

    /// What YAML 1.1 forbids (section 5.1), and the rarer ends of a line, by which editors count differently.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0a, 0x0d: false
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff: true
        default: false
        }
    }
}
