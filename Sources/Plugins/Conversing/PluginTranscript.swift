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
    private let canUndo: Bool
    /// Units that the plugin has said in a verb before.
    private let known: Set<FilePath>
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
    /// Whether it has got 'go'.
    private var isGone = false
    private var paths: Set<FilePath> = []
    /// All directories on the way to a unit.
    private var parents: Set<FilePath> = []
    private var tables: Set<TablePlace> = []
    /// What it told the progress of before it was a unit.
    private var unannounced: Set<FilePath> = []
    private var events = 0

    /// Far more than any dump has to say. Progress of units does not count.
    private static let mostEvents = 200_000

    /// - Parameter known: the units that `prepare` has said.
    init(of call: PluginCall, known: [WorkUnit] = []) {
        (verb, freezes) = (call.verb, call.freezes)
        canUndo = call.plugin.description.verbs.contains(.undo)
        self.known = Set(known.map(\.path))
    }

    /// It has got 'go': what it says from now on is about the dump.
    mutating func go() { isGone = true }

    mutating func take(_ event: PluginEvent) throws(EventFault) -> Step? {
        guard summary == nil else { throw EventFault(reason: "something was said after the summary") }
        try requireTurn(of: event)
        if case .progress(let unit, let bytes) = event, known.contains(unit) || paths.contains(unit) {
            return .moved(unit: unit, bytes: bytes)
        }
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
        case .progress(let unit, _): unannounced.insert(unit)
        case .undo(let change):
            guard [.dump, .restore].contains(verb) else {
                throw EventFault(reason: "'undo' was said in \(verb.rawValue), which changes nothing")
            }
            guard canUndo else {
                throw EventFault(reason: "'undo' was said, and plugin.json does not have the verb 'undo'")
            }
            return .record(change)
        case .undone(let id): return .forget(id: id)
        case .database(let contents): try take(contents)
        case .plan(let plan): plans.append(plan)
        case .restored(let item): restored.append(item)
        case .summary(let summary): try take(summary)
        case .error(let error): self.error = self.error ?? error
        }
        return nil
    }

    /// What it says of a dump that it was not told to write, it cannot know. It may write before: a program in a container that cannot be held
    /// does, as of a moment that is before `frozen`.
    private func requireTurn(of event: PluginEvent) throws(EventFault) {
        guard freezes, !isGone else { return }
        let name: String
        switch event {
        case .unit: name = "unit"
        case .database: name = "database"
        case .summary: name = "summary"
        default: return
        }
        throw EventFault(reason: "'\(name)' was said before 'go'")
    }

    private mutating func take(_ unit: WorkUnit) throws(EventFault) {
        guard paths.insert(unit.path).inserted else { throw EventFault(reason: "two units have the same path") }
        let above = unit.path.beginnings.dropLast()
        guard !parents.contains(unit.path), !above.contains(where: { paths.contains($0) }) else {
            throw EventFault(reason: "the unit '\(unit.path)' overlaps another one")
        }
        parents.formUnion(above)
        units.append(unit)
    }

    /// One with many tables may be said in several events.
    private mutating func take(_ contents: DatabaseContents) throws(EventFault) {
        for table in contents.tables {
            let place = TablePlace(
                database: contents.name, path: contents.path, schema: table.schema, name: table.name)
            guard tables.insert(place).inserted else {
                let name = [table.schema, table.name].filter { !$0.isEmpty }.joined(separator: ".")
                throw EventFault(reason: "table '\(name)' of database '\(contents.name)' was said twice")
            }
        }
        if let place = databases.lastIndex(where: { $0.name == contents.name && $0.path == contents.path }) {
            databases[place].tables += contents.tables
        } else {
            databases.append(contents)
        }
    }

    private mutating func take(_ summary: PluginSummary) throws(EventFault) {
        guard verb != .dump || summary.consistency != nil else {
            throw EventFault(reason: "the summary of a dump lacks 'consistency'")
        }
        if let stranger = unannounced.subtracting(paths).min(by: { $0.string < $1.string }) {
            throw EventFault(reason: "'progress' was said of '\(stranger.string.onOneLine)', which is not a unit")
        }
        self.summary = summary
    }

    private struct TablePlace: Hashable {
        var database: String
        var path: String
        var schema: String
        var name: String
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
