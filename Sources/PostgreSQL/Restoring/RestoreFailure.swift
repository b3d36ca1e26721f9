import DumpCore
import Processes

/// Makes an error of a pg_restore that ended badly, with what to do about it.
struct RestoreFailure: Sendable {
    /// What was restored, such as `database 'shop'`.
    var subject: String

    func error(_ outcome: ProgramOutcome) -> DumpError {
        let said = outcome.lastErrors
        return DumpError(
            .programFailed, "pg_restore of \(subject) \(outcome.status)\(Self.words(said).map { ": \($0)" } ?? "")",
            hint: Self.hint(said) ?? Self.usualHint(outcome), context: said.isEmpty ? [:] : ["stderr": said],
            isTransient: said.contains("server closed the connection unexpectedly"))
    }

    /// What the engine complains of, on one line.
    static func words(_ said: String) -> String? {
        let lines = said.split(atASCII: "\n").map(String.init)
        let line = lines.last { $0.contains("ERROR:") || $0.contains("FATAL:") } ?? lines.last { $0.contains("error:") }
        return line.map { line in
            for mark in ["ERROR:  ", "FATAL:  ", "error: "] {
                if let range = line.firstRange(of: mark) { return String(line[range.upperBound...]) }
            }
            return line
        }
    }

    static func ofCreating(_ database: RestoringDatabase, _ error: DumpError) -> DumpError {
        var error = error
        error.hint = error.hint ?? hint(error.message)
        error.message = "cannot create \(database.subject): \(error.message)"
        return error
    }

    /// - Parameter said: by pg_restore or the server.
    static func hint(_ said: String) -> String? {
        if let function = unqualifiedFunction(said) {
            return
                "Function '\(function)' names a table without its schema, and a restore has no search_path. Where it was dumped, run "
                + "ALTER FUNCTION \(function) … SET search_path = public, and dump again. This dump can be restored table by table."
        }
        return causes.first { said.contains($0.0) }?.1
    }

    /// The function that a message is about which a CHECK constraint, an index or the like calls, such as `public.ok(integer)`.
    private static func unqualifiedFunction(_ said: String) -> String? {
        guard said.contains("relation \""), said.contains("does not exist") else { return nil }
        return said.firstMatch(of: /(?:PL\/[a-zA-Z]+|SQL) function "?([^\n"]*?\)|[^\n" ]+)/).map { String($0.1) }
    }

    private static func usualHint(_ outcome: ProgramOutcome) -> String {
        guard case .signaled = outcome.status else {
            return
                "Nothing of it was kept. The server's log may tell more; docs/restore.md shows how to restore by hand."
        }
        return "Find out what ended it: an operator, or the kernel when memory ran out (dmesg)."
    }

    private static let causes: [(String, String)] = [
        ("No space left on device", "Free space on the server's disk, then run the restore again."),
        ("could not set default_tablespace", "Create that tablespace, then run the restore again."),
        ("is not available", "Install the package of that extension on the server's host, then run the restore again."),
        (
            "could not access file \"",
            "Install the package of that library on the server's host, then run the restore again."
        ),
        (
            "must be loaded via",
            "Add it to shared_preload_libraries and restart the server, then run the restore again."
        ),
        (
            "unrecognized configuration parameter",
            "Add the extension's library to shared_preload_libraries and restart the server. A newer pg_restore than the server fails so too."
        ),
        (
            "invalid locale name",
            "Install that locale on the server's host and restart the server, then run the restore again."
        ),
        ("ICU is not supported in this build", "Restore it to a server that was built with ICU."),
        ("must be superuser", "Connect as a superuser, usually postgres."),
        ("permission denied", "Connect as a superuser, usually postgres."),
        ("unsupported version", "Install the client programs of the version that dumped it, or newer ones."),
        (
            "server closed the connection unexpectedly",
            "The server was stopped or crashed: see its log. Then run the restore again."
        ),
        (
            "terminating connection",
            "The server was stopped, or ended the session: see its log. Then run the restore again."
        ),
        ("remaining connection slots are reserved", "Restore with fewer --jobs, or raise max_connections."),
        ("too many clients already", "Restore with fewer --jobs, or raise max_connections."),
        (
            "invalid byte sequence for encoding",
            "The dump holds rows that no server takes back. Restore an older archive."
        ),
    ]
}
