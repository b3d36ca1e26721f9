import DumpCore
import Processes

extension Client.Version {
    /// The first minor release of each major version whose psql does not run what a hostile server has hidden in a script of pg_dump. The
    /// fault is CVE-2026-18408. Older majors were never mended, newer ones never had the fault.
    private static let mended: KeyValuePairs = [14: 24, 15: 19, 16: 15, 17: 11, 18: 6]

    /// Whether psql of this version may be given a script that was dumped from a server which is not trusted.
    var restoresScriptsSafely: Bool {
        guard let newest = Self.mended.last, major <= newest.key else { return true }
        guard let minor = Self.mended.first(where: { $0.key == major })?.value, !isUnreleased else { return false }
        return numbers.count > 1 && numbers[1] >= minor
    }

    /// Such as `18beta1` or `18devel`.
    private var isUnreleased: Bool { description.contains(where: \.isLetter) }

    fileprivate static var mendedReleases: String {
        mended.map { "\($0.key).\($0.value)" }.joined(separator: ", ")
    }
}

extension Client {
    /// The version of the psql that is installed beside the others; nil if there is none, or it does not say.
    func psqlVersion(runner: ProgramRunner, as user: String?) async throws(DumpError) -> Version? {
        let psql = directory.appending("psql")
        guard Executables.isExecutable(psql) else { return nil }
        return try await Self.version(of: psql, runner, user)
    }

    /// What to say of that psql. It is the host that restores which matters, and often that is this one.
    func psqlFindings(_ version: Version?) -> [Finding] {
        guard let version, !version.restoresScriptsSafely else { return [] }
        return [
            Finding(
                .warning, "psql_unsafe", object: directory.appending("psql").string,
                "psql \(version) may run commands that a hostile server hid in its dump (CVE-2026-18408)",
                hint:
                    "Before a script is restored with psql, on this host or another, update it to one of \(Version.mendedReleases) or newer."
            )
        ]
    }
}
