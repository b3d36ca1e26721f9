import DumpCore
import Reporting

extension Undoing {
    /// What the operator needs to know to undo it by hand: what is on record, and in which file. One line each.
    var details: [String] {
        var all: ErrorContext = [:]
        for (name, value) in record?.facts.shown ?? [] { all[name] = value }
        if let file { all["record"] = file }
        if let words = error?.context["stderr"] { all["stderr"] = words }
        if let hint = error?.hint { all["hint"] = hint }
        return all.alignedLines
    }
}

extension ErrorContext {
    /// Names and values in two columns, of a line each.
    var alignedLines: [String] {
        let facts = map { (name: $0.name.replacing("_", with: " "), value: $0.value) }
        let width = facts.map(\.name.count).max() ?? 0
        return facts.map {
            "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.value.onOneLine)"
        }
    }
}
