import DumpCore
import Settings
import SystemPackage

/// A cluster that is about to be dumped.
struct FrozenCluster: FrozenSource {
    let cluster: Cluster
    let client: Client

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        do {
            let parts = try await parts(in: directory, run)
            return DumpSummary(
                identity: cluster.identity(of: client), moment: DumpedPart.moment(of: parts),
                findings: parts.flatMap(\.findings), omissions: cluster.omissions,
                databases: parts.flatMap(\.databases),
                digests: parts.reduce(into: [:]) { $0.merge($1.digests) { first, _ in first } })
        } catch {
            throw error.ofDump(run.dump)
        }
    }

    func release() async {}

    private func parts(in directory: FilePath, _ run: RunContext) async throws(DumpError) -> [DumpedPart] {
        let result: [DumpedPart]?
        do {
            result = try await withDeadline(cluster.settings.deadline) {
                switch cluster.settings.layout {
                case .databases: try await databaseParts(in: directory, run)
                case .cluster: [try await clusterPart(in: directory, run)]
                }
            }
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(.cancelled, "the dump was cancelled", underlying: error)
        }
        guard let result else { throw tooLate }
        return result
    }

    private var tooLate: DumpError {
        let limit = cluster.settings.deadline?.settingsText ?? ""
        return DumpError(
            .deadline, "the dump did not end within its deadline of \(limit)",
            hint: "Raise 'deadline:', or find out what holds it up: a lock, a slow disk, a slow network.")
    }
}

/// One unit of work as it came out.
struct DumpedPart: Sendable {
    /// The instant that the part is as of lies between these.
    var from: Timestamp
    var to: Timestamp
    var findings: [Finding] = []
    var databases: [DatabaseContents] = []
    /// By path relative to the dump's directory.
    var digests: [FilePath: FileDigest]

    static func moment(of parts: [DumpedPart]) -> Moment {
        Moment(.window, from: parts.map(\.from).min() ?? .now, to: parts.map(\.to).max() ?? .now)
    }
}
