import DumpCore
import Synchronization
import SystemPackage

/// A unit of work that our program is about to dump, as `ServerWatch` finds it on the server and on disk.
struct FollowedUnit: Sendable {
    /// Its own among all units of this process: two dumps of one run may be of the same cluster.
    let number: Int
    let unit: WorkUnit
    /// Who does what, for messages: `pg_dump of database 'shop'`.
    let subject: String
    /// The file or directory that the program writes.
    let path: FilePath
    /// Those whose tables the program copies.
    let databases: [String]
    /// What the program's sessions are called in `pg_stat_activity`, to be found by us and by an operator.
    let applicationName: String

    private static let count = Atomic(0)

    init(
        _ unit: WorkUnit, of subject: String, below directory: FilePath, databases: [String], by access: ClusterAccess,
        in run: RunContext
    ) {
        number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        self.unit = unit
        self.subject = subject
        path = directory.pushing(unit.path)
        self.databases = databases
        applicationName = Self.name(access.options["application_name"] ?? "", of: run.runID, number)
    }

    /// Such as `muster 20261123T080102Z-5f3a/7`: plain ASCII, at most 63 bytes, which is where the server cuts.
    static func name(_ own: String, of run: RunID, _ number: Int) -> String {
        let ours = "\(run)/\(number)"
        let plain = own.unicodeScalars.filter { (" "..."~").contains($0) }
        let prefix = String(String.UnicodeScalarView(plain)).replacing("\(run)", with: "").trimmed
        return prefix.isEmpty ? ours : "\(prefix.prefix(62 - ours.utf8.count)) \(ours)"
    }
}
