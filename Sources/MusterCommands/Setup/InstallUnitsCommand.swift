import ArgumentParser
import DumpCore

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
    @Option(help: ArgumentHelp("Who takes the dumps, in place of root; only with --borg-unit.", valueName: "user"))
    var user: String?
    @Flag(help: "Print the files, and write nothing.") var print = false

    func validate() throws {
        if user != nil && borgUnit == nil {
            throw ValidationError(
                "--user goes with --borg-unit alone: a whole run is root's",
                hint: "Name the Borg unit that the dumps are for, or leave out --user.")
        }
        if let borgUnit, !borgUnit.hasSuffix(".service") || borgUnit.contains("/") {
            throw ValidationError("'\(borgUnit)' is not a service", hint: "Such as borgbackup.service.")
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
        try await checked(job.name)
        try await units.install()
        if borgUnit == nil { say("To run it every night: systemctl enable --now muster@\(job.name).timer") }
    }
}
