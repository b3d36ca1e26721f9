import DumpCore
import Linux
import Reporting
import Staging

/// Every source of a job, examined.
struct PreparedJob: Sendable {
    struct Source: Sendable {
        var name: String
        var kind: String
        var outcome: Result<any PreparedSource, DumpError>

        var prepared: (any PreparedSource)? {
            if case .success(let prepared) = outcome { prepared } else { nil }
        }
    }

    /// In the order of the job file.
    var sources: [Source]
    var slots: WorkSlots
    /// What the published set has of them, by name.
    var previous: [String: PreviousDump]

    /// Bytes that each dump is expected to take, by name; those that could not be prepared are left out.
    var estimates: [String: Int64] {
        Dictionary(
            uniqueKeysWithValues: sources.compactMap { source in
                source.prepared.map { (source.name, $0.units.lazy.map(\.estimatedBytes).total) }
            })
    }

    /// More than one process for one unit of work only where there are fewer units than slots.
    var jobsPerUnit: Int { units.isEmpty ? 1 : max(1, slots.capacity / units.count) }

    private var units: [WorkUnit] {
        sources.flatMap { $0.prepared?.units ?? [] }
    }

    /// Throws every failure of every source at once: what prepare threw, and findings of that severity.
    func requireNoFailure() throws {
        let failures = sources.compactMap { source -> (name: String, error: any OperatorError)? in
            switch source.outcome {
            case .failure(let error): (source.name, error)
            case .success(let prepared):
                Self.failure(of: source.name, prepared.findings + prepared.omissions).map { (source.name, $0) }
            }
        }
        if !failures.isEmpty { throw CombinedError("dumps", failures) }
    }

    func close() async {
        for source in sources { await source.prepared?.close() }
    }

    private static func failure(of name: String, _ findings: [Finding]) -> DumpError? {
        let failures = findings.filter { $0.severity == .failure }
        guard let first = failures.first else { return nil }
        var context: ErrorContext = ["dump": name]
        // The code too: one object may fail for several reasons.
        for other in failures.dropFirst() { context["\(other.code) \(other.object)"] = other.message }
        return DumpError(.settings, first.message, hint: first.hint, context: context)
    }
}
