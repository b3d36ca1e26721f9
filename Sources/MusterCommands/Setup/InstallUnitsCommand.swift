import ArgumentParser
import DumpCore
import Jobs
import Linux

struct InstallUnitsCommand: MusterCommand {
    static let manual = CommandManual(
        "install-units", "Write what the systemd units need for a job, after checking it.",
        story: """
            The units that come with Muster let it write to few places, and hide the homes. This writes drop-ins for what this job needs \
            beyond that: mounts to wait for, a repository elsewhere, homes to read, snapshots. With --borg-unit, the Borg unit that you have \
            already gets a fresh dump before each backup, and does not start if the dump fails. Run it again after a change of the job.
            """,
        examples: [
            "muster install-units --job nightly": "Write the drop-ins of muster@nightly.service.",
            "muster install-units --job nightly --borg-unit borgbackup.service": "Dump before that unit.",
            "muster install-units --job nightly --print": "Show the files, and write nothing.",
        ], statuses: .of(.dumpFailed, .archiveFailed, .locked))

    @OptionGroup var jobOptions: JobOptions
    @Option(help: ArgumentHelp("The unit that runs borg create on the set.", valueName: "unit")) var borgUnit: String?
    @Option(
        help: ArgumentHelp("The user that takes the dumps instead of root; only with --borg-unit.", valueName: "user"))
    var user: String?
    @Flag(help: "Print the files, and write nothing.") var print = false

    func validate() throws {
        if user != nil && borgUnit == nil {
            throw ValidationError(
                "--user goes with --borg-unit only: a whole run needs root",
                hint: "Name the Borg unit that the dumps are for, or leave out --user.")
        }
        if let borgUnit, borgUnit.wholeMatch(of: /[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]*)?\.service/) == nil {
            throw ValidationError("'\(borgUnit)' is not a service", hint: "Such as borgbackup.service.")
        }
        if let user, UserAccount(named: user).map({ $0.uid == 0 }) ?? true {
            throw ValidationError("'\(user)' is not a user that units can run as", hint: "Such as postgres.")
        }
    }

    /// What would be written in vain.
    private func requireFitting(_ job: Job) throws {
        if let borgUnit, !SystemdUnits.isInstalled(borgUnit),
            !SystemdUnits.isInstalled(borgUnit.replacing(/@.*\./, with: "@."))
        {
            throw SetupError(
                "there is no unit \(borgUnit)", hint: "Look for its name: systemctl list-unit-files '*borg*'")
        }
        guard let user else { return }
        if let dump = job.dumps.first(where: { $0.kind.name != "postgresql" }) {
            throw SetupError(
                "dump '\(dump.name)' cannot be taken as user '\(user)': only PostgreSQL can", hint: "Leave out --user.")
        }
        if job.staging.starts(with: "/var/lib/muster") {
            throw SetupError(
                "the staging directory \(job.staging) belongs to root, not to user '\(user)'",
                hint: "Set staging: /var/lib/muster-postgres/\(job.name), or leave out --user.")
        }
    }

    func run() async throws {
        let job = try jobOptions.read()
        var units = JobUnits(of: job)
        (units.borgUnit, units.user) = (borgUnit, user)
        if print {
            let files = try units.files().map { "# \($0.path)\n\($0.text)" }
            return Console.shared.result(
                files.isEmpty ? "# The units need nothing more for this job." : files.joined(separator: "\n"))
        }
        try requireFitting(job)
        try await checked(job.name)
        try await units.install()
        if borgUnit == nil { say("To run it every night: systemctl enable --now muster@\(job.name).timer") }
    }
}
