import DumpCore
import SystemPackage

/// What a plugin has said in one verb, checked as it comes.
struct PluginTranscript: Sendable {
    /// What has to be done about an event, beside keeping what it says.
    enum Step: Sendable {
        case frozen
        case record(PluginChange.Said)
        case forget(id: String)
        case moved(unit: FilePath, bytes: Int64)
    }

    private let verb: PluginDescription.Verb
    private let freezes: Bool
    private(set) var facts: ErrorContext = [:]
    private(set) var units: [WorkUnit] = []
    private(set) var findings: [Finding] = []
    private(set) var omissions: [Finding] = []
    private(set) var databases: [DatabaseContents] = []
    private(set) var plans: [RestorePlan] = []
    private(set) var restored: [RestoredItem] = []
    private(set) var summary: PluginSummary?
    private(set) var error: DumpError?
    private var frozen = false
    private var paths: Set<FilePath> = []
    /// All directories on the way to a unit.
    private var parents: Set<FilePath> = []
    private var events = 0

    /// Far more than any dump has to say. Progress does not count.
    private static let mostEvents = 200_000

    /// - Parameter freezes: whether it has to say `frozen` before its summary.
    init(of verb: PluginDescription.Verb, freezes: Bool) { (self.verb, self.freezes) = (verb, freezes) }

    mutating func take(_ event: PluginEvent) throws(EventFault) -> Step? {
        guard summary == nil else { throw EventFault(reason: "something was said after the summary") }
        if case .progress(let unit, let bytes) = event { return .moved(unit: unit, bytes: bytes) }
        events += 1
        guard events <= Self.mostEvents else {
            throw EventFault(reason: "more than \(Self.mostEvents) events were said")
        }
        switch event {
        case .fact(let name, let value): facts[name] = value
        case .unit(let unit): try take(unit)
        case .finding(let finding): findings.append(finding)
        case .omission(let omission): omissions.append(omission)
        case .frozen:
            guard freezes, !frozen else {
                throw EventFault(
                    reason: freezes ? "'frozen' was said twice" : "'frozen' was said where nothing is frozen")
            }
            frozen = true
            return .frozen
        case .progress: break
        case .undo(let change):
            guard [.dump, .restore].contains(verb) else {
                throw EventFault(reason: "'undo' was said in \(verb.rawValue), which changes nothing")
            }
            return .record(change)
        case .undone(let id): return .forget(id: id)
        case .database(let contents): take(contents)
        case .plan(let plan): plans.append(plan)
        case .restored(let item): restored.append(item)
        case .summary(let summary): try take(summary)
        case .error(let error): self.error = self.error ?? error
        }
        return nil
    }

    private mutating func take(_ unit: WorkUnit) throws(EventFault) {
        guard paths.insert(unit.path).inserted else { throw EventFault(reason: "two units have the same path") }
        let above = unit.path.beginnings.dropLast()
        guard !parents.contains(unit.path), !above.contains(where: { paths.contains($0) }) else {
            throw EventFault(reason: "the unit '\(unit.path)' and another one lie in each other")
        }
        parents.formUnion(above)
        units.append(unit)
    }

    /// One with many tables may be said in several events.
    private mutating func take(_ contents: DatabaseContents) {
        if let place = databases.lastIndex(where: { $0.name == contents.name && $0.path == contents.path }) {
            databases[place].tables += contents.tables
        } else {
            databases.append(contents)
        }
    }

    private mutating func take(_ summary: PluginSummary) throws(EventFault) {
        guard !freezes || frozen else { throw EventFault(reason: "the summary was said before 'frozen'") }
        guard verb != .dump || summary.consistency != nil else {
            throw EventFault(reason: "the summary of a dump lacks 'consistency'")
        }
        self.summary = summary
    }
}

extension FilePath {
    /// All directories on the way to the path, and the path itself.
    var beginnings: [FilePath] {
        var beginning = FilePath()
        return components.map { component in
            beginning.append(component)
            return beginning
        }
    }
}
