import Documents
import DumpCore

/// What a plugin is asked to restore, as the file that `MUSTER_RESTORE` names has it.
struct RestoreDocument: Encodable, Sendable {
    enum Action: String, Encodable {
        case check, restore, drill
    }

    enum Placement: String, Encodable {
        case beside, named, replacing
    }

    /// What the manifest says of the dump.
    struct Dump: Encodable {
        var name: String
        var facts: [String: String]
        var databases: [DatabaseContents]
        var moment: Moment
        var bytes: Int64
        var files: Int
    }

    var action: Action
    var placement = Placement.beside
    var name: String?
    var items: [String]
    var target: String?
    var user: String?
    /// For names of what is restored beside others: when the restore began.
    var stamp: String
    /// Where the dump's files are, once they were fetched: not while it is only looked whether the restore would succeed.
    var files = "."
    /// The room of a drill.
    var room: String?
    var dump: Dump
    /// How many things may be done at once; the program has it as a variable.
    let jobs: Int

    private enum CodingKeys: String, CodingKey {
        case action, placement, name, items, target, user, stamp, files, room, dump
    }

    init(_ action: Action, _ request: RestoreRequest, of dump: Manifest.DumpRecord, run: RunID) {
        self.init(action, of: dump, items: request.items, jobs: request.jobs, run: run)
        (target, user) = (request.target, request.user)
        switch request.placement {
        case .beside: placement = .beside
        case .named(let name): (placement, self.name) = (.named, name)
        case .replacing: placement = .replacing
        }
    }

    /// - Parameter room: as the program finds it.
    init(_ drill: DrillRequest, of dump: Manifest.DumpRecord, in room: String, jobs: Int, run: RunID) {
        self.init(.drill, of: dump, items: drill.items, jobs: jobs, run: run)
        (self.room, files) = (room, room + "/dump")
    }

    private init(_ action: Action, of dump: Manifest.DumpRecord, items: [String], jobs: Int, run: RunID) {
        (self.action, self.items, self.jobs) = (action, items, jobs)
        stamp = String(run.description.prefix(16))
        self.dump = Dump(
            name: dump.name, facts: dump.identity, databases: dump.databases, moment: dump.moment, bytes: dump.bytes,
            files: dump.files)
    }

    var text: String {
        get throws(DumpError) {
            do {
                return try SnakeCaseJSON.line(self)
            } catch {
                throw DumpError(.system, "cannot write what the plugin is asked to restore: \(error)")
            }
        }
    }
}
