import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// One installation of PostgreSQL's client programs.
struct Client: Sendable, Hashable {
    enum Tool: String, Sendable, CaseIterable {
        case pgDump = "pg_dump"
        case pgDumpAll = "pg_dumpall"
        case pgRestore = "pg_restore"
    }

    var directory: FilePath
    var version: Version

    func path(of tool: Tool) -> FilePath { directory.appending(tool.rawValue) }

    /// A version as `pg_dump --version` ends with it: `15.20`, `9.6.24`, `19beta2`.
    struct Version: Sendable, Hashable, Comparable, CustomStringConvertible {
        let description: String
        let numbers: [Int]

        var major: Int { numbers[0] }

        /// The version in a line such as `pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`, or nil.
        init?(versionLine: String) {
            let words = versionLine.splitAtASCIISpace()
            guard let place = words.firstIndex(of: "(PostgreSQL)"), place + 1 < words.count else { return nil }
            description = String(words[place + 1])
            numbers = description.split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
            guard description.first?.isNumber == true, !numbers.isEmpty else { return nil }
        }

        static func < (left: Self, right: Self) -> Bool { left.numbers.lexicographicallyPrecedes(right.numbers) }
    }
}

extension Client {
    /// The newest major version whose archives `ArchiveContents` was tried with.
    static let newestKnownMajor = 19

    /// Every installation in the given directory, or, without one, in the usual places. The first of several alike comes first.
    static func installed(
        in binDirectory: FilePath?, runner: ProgramRunner, as user: String?
    ) async throws(DumpError) -> [Client] {
        var clients: [Client] = []
        for directory in binDirectory.map({ [$0] }) ?? usualDirectories() where isComplete(directory) {
            if let version = try await version(of: directory.appending(Tool.pgDump.rawValue), runner, user) {
                clients.append(Client(directory: directory, version: version))
            }
        }
        return clients
    }

    /// Where Debian, Red Hat and everyone else put them.
    private static func usualDirectories() -> [FilePath] {
        let debian = subdirectories(of: "/usr/lib/postgresql").map { $0.appending("bin") }
        let redHat = subdirectories(of: "/usr").filter { $0.lastComponent!.string.hasPrefix("pgsql-") }
            .map { $0.appending("bin") }
        var seen: Set<FilePath> = []
        return (debian + redHat + Executables.searchPath).filter { seen.insert($0).inserted }
    }

    private static func subdirectories(of directory: FilePath) -> [FilePath] {
        // A place that does not exist holds none.
        ((try? FileSystem.names(in: directory)) ?? []).map { directory.appending($0) }
    }

    private static func isComplete(_ directory: FilePath) -> Bool {
        Tool.allCases.allSatisfy { tool in
            let path = directory.appending(tool.rawValue)
            return Executables.isExecutable(path) && !isDebianWrapper(path)
        }
    }

    /// Debian's `/usr/bin/pg_dump` is a script that picks a version by itself, by rules of its own.
    private static func isDebianWrapper(_ path: FilePath) -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(path.string, buffer.baseAddress!, buffer.count - 1)
            guard count > 0 else { return false }
            buffer[count] = 0
            return String(cString: buffer.baseAddress!).hasSuffix("/pg_wrapper")
        }
    }

    /// Nil when the program is there but does not say a version, as a broken installation may.
    static func version(
        of path: FilePath, _ runner: ProgramRunner, _ user: String?
    ) async throws(DumpError) -> Version? {
        let program = Program(
            path, ["--version"], inheritedPrefixes: ClusterAccess.inheritedVariables, user: user)
        do {
            let outcome = try await runner.run(program, output: .collect(limit: 4096))
            return outcome.succeeded ? Version(versionLine: String(decoding: outcome.output, as: UTF8.self)) : nil
        } catch {
            throw DumpError(error)
        }
    }
}
