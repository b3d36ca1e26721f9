import DumpCore
import Linux
import Processes
import SystemPackage

/// Where the programs of a PostgreSQL server are: initdb, postgres, pg_ctl, and the clients of the same version.
public struct ServerPrograms: Sendable, Hashable {
    public var directory: FilePath
    /// The major version; nil if that is not known.
    public var major: Int?

    public init(in directory: FilePath, major: Int? = nil) {
        self.directory = directory
        self.major = major
    }

    public func path(of name: String) -> FilePath { directory.appending(name) }

    /// Those of every version that is installed, the newest first.
    ///
    /// Debian keeps server programs out of PATH, in one directory for each major version; others have one version, in PATH.
    public static func installed(below parent: FilePath = "/usr/lib/postgresql") -> [ServerPrograms] {
        // A host without that directory has none of these.
        let majors = ((try? FileSystem.names(in: parent)) ?? []).compactMap { Int($0.string) }.sorted(by: >)
        let kept = majors.map { ServerPrograms(in: parent.appending("\($0)/bin"), major: $0) }
            .filter { Executables.isExecutable($0.path(of: "initdb")) }
        guard kept.isEmpty, let found = try? Executables.find("initdb") else { return kept }
        return [ServerPrograms(in: found.removingLastComponent())]
    }

    /// - Parameter major: the version that is needed; nil for the newest.
    public static func find(
        major: Int? = nil, among installed: [ServerPrograms] = installed()
    ) throws(DumpError) -> ServerPrograms {
        if let found = installed.first(where: { major == nil || $0.major == major }) { return found }
        let version = major.map { " \($0)" } ?? ""
        throw DumpError(
            .programUnsuitable, "the server programs of PostgreSQL\(version) (initdb, postgres) are not installed",
            hint: "On Debian: apt-get install postgresql\(major.map { "-\($0)" } ?? "").")
    }
}
