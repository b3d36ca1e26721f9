import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// Ways in which a dump fails although the run before it was fine.
enum DumpFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case wrongPassword, serverGone, databaseDropped, exitsWithOne, killedHalfWay, truncatedFile, missingFile, emptyFile
    case lockedTable, diskFull, clientTooOld

    var testDescription: String { rawValue }

    /// What the error says, in its first line or below.
    var cause: String {
        switch self {
        case .wrongPassword: "password authentication failed for user \"app\""
        case .serverGone: "No such file or directory"
        case .databaseDropped: "database 'shop' was dropped during the run"
        case .exitsWithOne: "pg_dump of database 'shop' exited with status 1"
        case .killedHalfWay: "pg_dump of database 'shop' was ended by signal 9 (SIGKILL)"
        case .truncatedFile: "ends before its last line"
        case .missingFile: "is missing"
        case .emptyFile: "is empty"
        case .lockedTable: "lock"
        case .diskFull: "free"
        case .clientTooOld: "too old for the server"
        }
    }
}

@Suite("A dump that fails")
struct DumpFaultTests {
    @Test(
        "leaves the published set as it was, starts no Borg, makes no archive, and says which dump failed and why",
        arguments: DumpFault.allCases)
    func nothingIsPublished(fault: DumpFault) async throws {
        try await TestHost.with(hasRepository: false) { host in
            let first = try await host.muster("dump")
            try #require(first.status == .exited(0), "\(first.errors)")
            let set = try host.currentFingerprint()
            let archives = try await host.archiveNames()
            try host.fake("borg", "touch \(host.scratch)/borg-was-started; exec $BORG \"$@\"")
            try await host.sql("INSERT INTO orders SELECT n, 'more' FROM generate_series(2001, 3000) n", in: "shop")

            let result = try await host.run(with: fault)

            #expect(result.status == .exited(3), "\(result.errors)")
            #expect(result.errors.contains("app"), "the error names the dump: \(result.errors)")
            #expect(result.errors.contains(fault.cause), "the error names the cause: \(result.errors)")
            #expect(try host.currentFingerprint() == set)
            #expect(access(host.scratch.appending("borg-was-started").string, F_OK) != 0, "no Borg was started")
            #expect(unlink(host.bin.appending("borg").string) == 0)
            #expect(try await host.archiveNames() == archives)
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)
            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(0), "\(verified.output) \(verified.errors)")
        }
    }
}

extension TestHost {
    /// Runs the job with a fault in place.
    fileprivate mutating func run(with fault: DumpFault) async throws -> Command.Result {
        switch fault {
        case .wrongPassword:
            try await createRole("app", password: "right")
            try write("wrong\n", to: scratch.appending("app-password"))
            job.connection = server.connection(as: "app")
            job.dumpLines = ["    password: {file: \(scratch)/app-password}"]
        case .serverGone:
            try await server.stop()
        case .databaseDropped:
            // Between prepare, which sees it, and its pg_dump. The job must not do without one that it names.
            job.dumpLines.append("    databases: {include: [shop, \"*\"]}")
            let clients = PostgreSQLServer.binDirectory
            try replaceClient(
                "pg_dump",
                """
                case "$*" in
                *--version*) ;;
                *) \(clients)/psql -X -q -h \(server.directory) -U postgres -d postgres -c 'DROP DATABASE IF EXISTS shop WITH (FORCE)' ;;
                esac
                exec \(clients)/pg_dump "$@"
                """)
        case .exitsWithOne:
            try replaceClient("pg_dump", onlyDumps(of: "shop", "echo 'pg_dump: error: something broke' >&2; exit 1"))
        case .killedHalfWay:
            try replaceClient(
                "pg_dump", onlyDumps(of: "shop", "\"$real\" \"$@\" ; truncate -s 100 \"$out\"/*.dat; kill -9 $$"))
        case .truncatedFile:
            try replaceClient("pg_dump", onlyDumps(of: "shop", "\"$real\" \"$@\" && truncate -s -1000 \"$(largest)\""))
        case .missingFile:
            try replaceClient("pg_dump", onlyDumps(of: "shop", "\"$real\" \"$@\" && rm \"$(largest)\""))
        case .emptyFile:
            try replaceClient("pg_dump", onlyDumps(of: "shop", "\"$real\" \"$@\" && : > \"$(largest)\""))
        case .lockedTable:
            job.dumpLines.append("    lock_timeout: 1s")
            return try await whileLocking("orders", in: "shop") { try await muster("run") }
        case .diskFull:
            return try await onFullDisk()
        case .clientTooOld:
            try replaceClient(
                "pg_dump", "case \"$*\" in *--version*) echo 'pg_dump (PostgreSQL) 9.6.24' ;; *) exit 1 ;; esac")
        }
        return try await muster("run")
    }

    /// A pg_dump that does something else for one database, and is the real one for the others.
    private func onlyDumps(of database: String, _ script: String) -> String {
        """
        case "$*" in *\(database)*) ;; *) exec "$real" "$@" ;; esac
        while [ $# -gt 0 ]; do case "$1" in -f) out=$2; args+=("$1") ;; --file=*) out=${1#--file=}; args+=("$1") ;; *) args+=("$1") ;; esac; shift; done
        set -- "${args[@]}"
        largest() { ls -S "$out"/*.dat | head -1; }
        \(script)
        """
    }

    /// The staging area on a file system of a few megabytes, and a database that does not fit although the estimate did.
    private mutating func onFullDisk() async throws -> Command.Result {
        // Without a last set the estimate decides; random text is dumped larger than prepare can know (escaped bytea).
        let full = scratch.appending("small")
        try FileSystem.createDirectory(full)
        return try await withMemoryFileSystem(kibibytes: 12 * 1024, at: full) {
            try await runWithStaging(below: full)
        }
    }

    private mutating func runWithStaging(below full: FilePath) async throws -> Command.Result {
        let copied = try await command("/bin/cp", "-a", staging.string, full.appending("staging").string)
        guard copied.status == .exited(0) else { throw HostError(description: copied.errors) }
        try await sql(
            "CREATE TABLE big AS SELECT repeat(md5(n::text), 100) AS t FROM generate_series(1, 6000) n", in: "shop")
        let old = job.staging
        job.staging = full.appending("staging").string
        let before = try fingerprint(of: full.appending("staging/current"))
        let result = try await muster("run")
        #expect(try fingerprint(of: full.appending("staging/current")) == before)
        job.staging = old
        return result
    }
}
