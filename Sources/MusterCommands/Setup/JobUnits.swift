import Borg
import Directories
import DumpCore
import Jobs
import Linux
import MusterConfig
import SystemPackage

/// What one job needs of its unit beyond what every job has, as drop-ins.
struct JobUnits {
    let job: Job
    /// The Borg unit of the operator's that the dumps are for; nil for a whole run by its own timer.
    var borgUnit: String?
    /// Who the unit runs as; nil is root.
    var user: String?

    init(of job: Job) { self.job = job }

    /// The unit that takes the dumps.
    var unit: String { borgUnit == nil ? "muster@\(job.name).service" : "muster-dump@\(job.name).service" }

    /// Files below `/etc/systemd/system`, in the order to write them.
    func files() throws -> [UnitFile] {
        var files: [UnitFile] = []
        if let settings = needs.text { files.append(UnitFile(of: unit, "muster-3-job.conf", settings)) }
        if takesSnapshots {
            files.append(UnitFile(of: unit, "muster-2-snapshots.conf", try SystemdUnits.shipped("snapshots.conf")))
        }
        if takesSnapshots, borgUnit != nil {
            files.append(
                UnitFile(
                    of: unit, "muster-4-snapshots-for-borg.conf", try SystemdUnits.shipped("snapshots-for-borg.conf")))
        }
        if let user {
            let settings = try SystemdUnits.shipped("postgres.conf").replacing("User=postgres", with: "User=\(user)")
            files.append(UnitFile(of: unit, "muster-1-user.conf", settings))
        }
        if let borgUnit {
            // Both lines: without the second Borg would run beside the dump.
            files.append(UnitFile(of: borgUnit, "muster.conf", "[Unit]\nRequires=\(unit)\nAfter=\(unit)\n"))
        }
        return files
    }

    /// Writes them, and has systemd read them.
    func install() async throws {
        let files = try files()
        for file in files { try file.requireOurs() }
        for file in files { Console.shared.result(try file.write()) }
        for path in UnitFile.outdated(of: unit, besides: files) { Console.shared.result("removed \(path)") }
        if SystemdUnits.isManagerThere { try await SystemdUnits.systemctl("daemon-reload") }
    }

    private var needs: UnitNeeds { UnitNeeds(of: job) }

    private var takesSnapshots: Bool { job.directories.contains { $0.snapshot != nil } }
}

extension Job {
    var directories: [DirectorySettings] { dumps.compactMap { $0.settings as? DirectorySettings } }
}
