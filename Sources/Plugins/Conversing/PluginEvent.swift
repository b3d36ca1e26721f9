import Documents
import DumpCore
import SystemPackage

/// One line of a plugin's standard output.
enum PluginEvent: Sendable {
    case fact(name: String, value: String)
    case unit(WorkUnit)
    case finding(Finding)
    case omission(Finding)
    case frozen
    case progress(unit: FilePath, bytes: Int64)
    case undo(PluginChange.Said)
    case undone(id: String)
    case database(DatabaseContents)
    case plan(RestorePlan)
    case restored(RestoredItem)
    case summary(PluginSummary)
    case error(DumpError)

    /// No line is longer.
    static let longestLine = 64 * 1024

    init(_ line: String) throws(EventFault) {
        guard line.utf8.count <= Self.longestLine else {
            throw EventFault(reason: "a line is longer than \(formatBytes(Int64(Self.longestLine)))")
        }
        guard case .object(let object)? = try? SnakeCaseJSON.decodePlainly(JSONValue.self, from: Array(line.utf8))
        else {
            throw EventFault(reason: "a line is not one JSON object")
        }
        guard case .text(let name)? = object["event"] else {
            throw EventFault(reason: "an object has no 'event', which says what it is")
        }
        guard let event = try Self.event(name, EventMembers(object, of: name)) else {
            throw EventFault(reason: "there is no event '\(name.prefix(40).description.onOneLine)'")
        }
        self = event
    }

    /// Nil if nothing is called so.
    private static func event(_ name: String, _ members: EventMembers) throws(EventFault) -> PluginEvent? {
        switch name {
        case "fact": .fact(name: try members.factName("name"), value: try members.optionalText("value") ?? "")
        case "unit": .unit(try WorkUnit(members))
        case "finding": .finding(try Finding(members))
        case "omission": .omission(try Finding(members))
        case "frozen": .frozen
        case "progress": .progress(unit: try members.path("unit"), bytes: try members.count("bytes"))
        case "undo": .undo(try PluginChange.Said(members))
        case "undone": .undone(id: try members.text("id"))
        case "database": .database(try DatabaseContents(members))
        case "plan": .plan(try RestorePlan(members))
        case "restored": .restored(try RestoredItem(members))
        case "summary": .summary(try PluginSummary(members))
        case "error": .error(try DumpError(members))
        default: nil
        }
    }
}

/// What a plugin says of a verb that succeeded.
struct PluginSummary: Sendable {
    /// The consistency of a dump.
    var consistency: Moment.Kind?
    var evidence: [String: String]

    init(_ members: EventMembers) throws(EventFault) {
        let word = try members.optionalText("consistency")
        consistency = word.flatMap { Moment.Kind(rawValue: $0) }
        guard word == nil || consistency != nil else {
            throw EventFault(reason: "'consistency' of 'summary' must be exact, window or live")
        }
        evidence = try members.texts("evidence")
    }
}

extension WorkUnit {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        self.init(
            name: try members.name("name"), path: try members.path("path"), estimatedBytes: try members.count("bytes"))
    }
}

extension Finding {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        guard let severity = Severity(rawValue: try members.text("severity")) else {
            throw EventFault(reason: "'severity' must be note, warning or failure")
        }
        self.init(
            severity, try members.code("code"), object: try members.text("object"), try members.text("message"),
            hint: try members.optionalText("hint"))
    }
}

extension DatabaseContents {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        let tables = try members.objects("tables").map { table throws(EventFault) in
            TableContents(
                schema: try table.text("schema"), name: try table.text("name"),
                rows: try table.count("rows"))
        }
        self.init(name: try members.text("name"), path: try members.path("path").string, tables: tables)
    }
}

extension RestorePlan {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        self.init(
            item: try members.text("item"), name: try members.text("name"), kept: try members.optionalText("kept"),
            bytes: try members.count("bytes"))
    }
}

extension RestoredItem {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        let differences = try members.objects("differences").map { difference throws(EventFault) in
            RestoreComparison.Difference(
                fact: try difference.text("fact"), object: try difference.text("object"),
                expected: try difference.optionalText("expected") ?? "",
                found: try difference.optionalText("found") ?? "")
        }
        self.init(
            item: try members.text("item"), name: try members.text("name"), kept: try members.optionalText("kept"),
            durationSeconds: 0,
            comparison: RestoreComparison(
                compared: try members.counts("compared"), differences: differences,
                notCompared: try members.words("not_compared")))
    }
}

extension DumpError {
    fileprivate init(_ members: EventMembers) throws(EventFault) {
        self.init(
            Code(rawValue: try members.code("code")), try members.text("message"),
            hint: try members.optionalText("hint"), isTransient: try members.flag("transient"))
    }
}
