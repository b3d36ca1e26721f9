import DumpCore
import Linux
import SystemPackage

/// As whom the program of a drill runs, such as a server, and what keeps it apart from everything else.
///
/// Restoring runs code from the dump. If Muster runs as root, the program is isolated, and its user is the requested account or one without
/// an account. The user keeps it from all files and processes, the isolation from networks and sockets. If Muster cannot isolate it, a
/// finding says so.
public struct DrillIdentity: Sendable {
    /// An account of this host, for a program that is not isolated. Nil is ourselves.
    public var user: String?
    public var isolation: Isolation?
    public var findings: [Finding] = []

    /// - Parameters:
    ///   - requested: an account that the operator names. Throws if it could do harm.
    ///   - probe: a program and its arguments that do nothing, to see whether programs can be isolated.
    ///   - directory: of the program; it is there.
    public static func choose(
        _ requested: String?, probing probe: (FilePath, [String]), in directory: FilePath, runner: ProgramRunner
    ) async throws(DumpError) -> DrillIdentity {
        guard UserAccount.currentIsRoot else { return try ours(requested) }
        var account: UserAccount?
        if let requested { account = try harmless(requested) }
        let number = if let account { account.uid } else { try unusedNumber() }
        let isolation = Isolation(room: directory, user: number)
        let refusal = try await refusal(of: isolation, probe, runner)
        guard let refusal else { return DrillIdentity(isolation: isolation) }
        let user = account?.name ?? fallback
        return DrillIdentity(user: user, findings: [.notIsolated(user, because: refusal)])
    }

    /// Who owns no files on any host.
    private static let fallback = "nobody"
    private static let livePostgreSQL = "postgres"

    private static func ours(_ requested: String?) throws(DumpError) -> DrillIdentity {
        let ours = UserAccount.current?.name ?? "?"
        guard requested == nil || requested == ours else {
            throw DumpError(
                .settings, "a drill as user '\(requested ?? "")' needs root, and Muster runs as '\(ours)'",
                hint: "Run the drill as root.")
        }
        guard ours != livePostgreSQL else { throw harmful(ours) }
        return DrillIdentity(findings: [.notIsolated(ours, because: "Muster does not run as root")])
    }

    private static func harmless(_ name: String) throws(DumpError) -> UserAccount {
        guard let account = UserAccount(named: name) else {
            throw DumpError(
                .settings, "there is no user '\(name)' on this host, whom a drill's server could run as",
                hint: "Name one that owns no data and runs nothing else, or none at all.")
        }
        guard account.uid != 0, account.name != livePostgreSQL else { throw harmful(name) }
        guard !hasProcess(account.uid) else {
            throw DumpError(
                .settings, "programs of user '\(name)' are running, whom a drill's server is to run as",
                hint: "Restoring runs code from the dump. Name a user that runs nothing else, or none at all.")
        }
        return account
    }

    private static func harmful(_ name: String) -> DumpError {
        DumpError(
            .settings, "a drill's server may not run as '\(name)', whose data code in the dump could change",
            hint: "Run the drill as root without naming a user: its server then has a user of its own.")
    }

    /// The numbers that systemd gives to services without an account (`DynamicUser=`), from its table of users and groups.
    private static let numbers: ClosedRange<UInt32> = 61184...65519

    /// One that neither an account nor a process has.
    private static func unusedNumber() throws(DumpError) -> UInt32 {
        for _ in 0..<100 {
            let number = UInt32.random(in: numbers)
            if UserAccount(id: number) == nil, !hasProcess(number) { return number }
        }
        throw DumpError(
            .system, "there is no unused user number from \(numbers.lowerBound) to \(numbers.upperBound)",
            hint: "Name an account for the drill that owns no data and runs nothing else.")
    }

    private static func hasProcess(_ user: UInt32) -> Bool {
        // Without /proc Muster runs no program. A process may end while we look.
        ((try? FileSystem.names(in: "/proc")) ?? []).contains { name in
            name.string.utf8.allSatisfy { (0x30...0x39).contains($0) }
                && (try? FileSystem.status(of: FilePath("/proc").appending(name)))?.uid == user
        }
    }

    /// Why a program cannot be isolated; nil if it can.
    private static func refusal(
        of isolation: Isolation, _ probe: (FilePath, [String]), _ runner: ProgramRunner
    ) async throws(DumpError) -> String? {
        let outcome: ProgramOutcome
        do {
            outcome = try await runner.run(Program(probe.0, probe.1, isolation: isolation))
        } catch {
            throw DumpError(error)
        }
        guard outcome.status == Isolation.refusal else { return nil }
        return outcome.lastErrors.isEmpty ? "the programs cannot be isolated" : outcome.lastErrors
    }
}

extension Finding {
    fileprivate static func notIsolated(_ user: String, because reason: String) -> Finding {
        Finding(
            .warning, "drill_not_isolated", object: user,
            "the drill's server runs as '\(user)' without isolation: code in the dump can reach what that user can, "
                + "and the network (\(reason))",
            hint:
                "Run drills as root where namespaces are allowed: in a unit without RestrictNamespaces=, or on a host of their own."
        )
    }
}
