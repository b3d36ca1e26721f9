import Borg
import DumpCore
import Jobs
import Settings
import SystemPackage

extension Job.Freeze {
    static var shape: ObjectShape<Job.Freeze> {
        ObjectShape(default: Job.Freeze())
            .required(
                "freeze_command", \.freeze, .command.example(["/usr/local/bin/app-hold"]),
                "A program and its arguments that hold the application still."
            )
            .required(
                "thaw_command", \.thaw, .command.example(["/usr/local/bin/app-go-on"]),
                "A program and its arguments that let it go on. It may run more than once, and with nothing frozen, and must succeed then too."
            )
            .key(
                "deadline", \.deadline, .duration(atLeast: .seconds(1), atMost: .seconds(3600)),
                "How long the application may be held. After that, or when Muster dies, it is thawed and the run fails."
            )
    }
}

extension Job.Metrics {
    static var shape: ObjectShape<Job.Metrics> {
        ObjectShape(default: Job.Metrics())
            .required(
                "directory", \.directory, .absolutePath.example("/var/lib/prometheus/node-exporter"),
                "The directory whose text files the node exporter reads. Muster writes muster-<job>.prom in it."
            )
    }
}

extension Job.Report {
    static var shape: ObjectShape<Job.Report> {
        ObjectShape(default: Job.Report())
            .required(
                "html", \.html, .absolutePath.example("/var/www/muster/nightly.html"),
                "The file of the page, which is written again after each run."
            )
    }
}

extension Job {
    /// What may stand in a job file.
    ///
    /// - Parameters:
    ///   - kinds: the providers that dumps may name.
    ///   - name, file: of the job that is read; they do not stand in the file.
    static func shape(
        kinds: ProviderKinds, name: String = "", file: FilePath = ""
    ) -> ObjectShape<Job> {
        ObjectShape(default: Job(name: name, file: file, staging: "", dumps: []))
            .places.rules.contents(of: kinds)
            .check("repositories", "staging") { $0.overlapFault }
            .check("repositories") { $0.repeatedRepositoryFault }
    }

    /// Borg would archive its own repository, or Muster's tidying would meet Borg's files.
    private var overlapFault: Fault? {
        for repository in repositories {
            guard let path = repository.settings.localPath else { continue }
            if path.starts(with: staging) || staging.starts(with: path) {
                return Fault(
                    "repository '\(repository.name)' and the staging directory are one inside the other",
                    hint: "Give each a directory of its own.")
            }
        }
        return nil
    }

    private var repeatedRepositoryFault: Fault? {
        for (place, repository) in repositories.enumerated() {
            let location = repository.settings.plainLocation
            if let first = repositories[..<place].first(where: { $0.settings.plainLocation == location }) {
                return Fault("'\(first.name)' and '\(repository.name)' are the same repository", hint: "Leave one out.")
            }
        }
        return nil
    }
}

extension ObjectShape<Job> {
    fileprivate var places: ObjectShape {
        required(
            "staging", \.staging, .stagingDirectory.example("/var/lib/muster/nightly"),
            "The directory that holds the dumps, with room for three sets. Nothing else may use it."
        )
        .optional(
            "host", \.host, .hostName.example("web1"),
            "The host's name in manifests and archive names, for a container whose name changes. Not set: the name that the host has."
        )
        .optional(
            "plugin_path", \.pluginPath, .list(of: .absolutePath, atLeast: 1).example(["/etc/muster/plugins"]),
            "Directories of plugins. The first that has one of a name counts. Not set: /etc/muster/plugins, then the directory that came with Muster."
        )
        .optional(
            "parallel", \.parallel, .integer(1...64).example(4),
            "How many parts to dump at once, over all sources. Not set: one per core.")
    }

    fileprivate var rules: ObjectShape {
        key(
            "retry", \.retry, .retry(default: Retry()),
            "How often to take all dumps again after a transient failure, such as a restart of the server."
        )
        .key(
            "anomalies", \.anomalies, .anomalyRule,
            "What to do when a dump's size differs from the usual: warn, fail or ignore, or a mapping with limits too."
        )
        .optional(
            "max_age", \.maxAge, .duration(atLeast: .seconds(1)).example("26h"),
            "The oldest set that muster with-lock hands to another program, such as 26h. Not set: any age."
        )
        .optional(
            "alert_after", \.alertAfter, .duration(atLeast: .seconds(1)).example("26h"),
            "How old the last good run may become before muster status says FAILED, such as 26h. Not set: three times the usual interval."
        )
        .optional(
            "metrics", \.metrics, Job.Metrics.shape.shape,
            "Write metrics for Prometheus, at the start and at the end of each run."
        )
        .optional(
            "report", \.report, Job.Report.shape.shape,
            "Write a page about the job after each run, as muster report does."
        )
        .optional(
            "freeze", \.freeze, Job.Freeze.shape.shape,
            "Commands that hold an application still while the snapshots of all dumps are taken."
        )
        .optional(
            "hooks", \.hooks, Job.Hooks.shape.shape,
            "The operator's own programs, to run before and after a run."
        )
        .key(
            "notify", \.receivers,
            .map(.entries, of: Job.Receiver.shape.shape) { name, receiver in
                var named = receiver
                named.name = name
                return named
            } parts: {
                ($0.name, $0)
            },
            "Receivers of notices when something goes wrong, and when it goes well again, each under a name of your choice."
        )
        .optional(
            "drill", \.drill, Job.Drill.shape.shape,
            "What muster drill asks of a restored copy, and how it makes one."
        )
    }

    fileprivate func contents(of kinds: ProviderKinds) -> ObjectShape {
        required(
            "dumps", \.dumps,
            .map(.dumps, of: .provider(among: kinds), atLeast: 1) {
                Job.Dump(name: $0, kind: $1.kind, settings: $1.settings)
            } parts: {
                ($0.name, DumpSettings(kind: $0.kind, settings: $0.settings))
            },
            "What to dump. Each has a name of your choice, which becomes its directory in the set."
        )
        .key(
            "repositories", \.repositories,
            .map(.entries, of: RepositorySettings.shape.shape) {
                Job.Repository(name: $0, settings: $1)
            } parts: {
                ($0.name, $0.settings)
            },
            "The Borg repositories that receive the set, each under a name of your choice.")
    }
}

extension Shape<FilePath> {
    fileprivate static var stagingDirectory: Shape {
        absolutePath.checked { $0.components.isEmpty ? Fault("must not be the root directory") : nil }
    }
}

extension Shape<String> {
    fileprivate static var hostName: Shape {
        matching("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a host name", hint: "Such as web1 or web1.example.org.")
    }
}

extension NameRule {
    /// For jobs, dumps and repositories.
    static let entries = NameRule(
        pattern: "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        expected: "a name of at most 64 letters, digits and . _ - that begins with a letter or digit")

    /// A dump is a directory beside the set's own files.
    static let dumps = NameRule(
        pattern: entries.pattern, expected: entries.expected, reserved: ["manifest.json", "checksums"])
}
