extension DumpError {
    /// Why a restore cannot begin: all that stands in its way. Nil if no finding is of severity `failure`.
    public init?(standingInTheWay findings: [Finding]) {
        let failures = findings.filter { $0.severity == .failure }
        guard let first = failures.first else { return nil }
        guard failures.count > 1 else {
            self.init(.settings, first.message, hint: first.hint, context: ["code": first.code])
            return
        }
        self.init(
            .settings, "\(failures.count) things stand in the way of the restore, and nothing was made",
            context: ["problems": failures.map(\.problem).joined(separator: "\n")])
    }
}

extension Finding {
    /// On one line, with what to do.
    fileprivate var problem: String { ([message] + [hint].compactMap(\.self)).joined(separator: ". ") }
}
