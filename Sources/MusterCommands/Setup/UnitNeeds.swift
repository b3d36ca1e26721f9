import Borg
import Directories
import DumpCore
import Jobs
import SystemPackage

/// What a job reads and writes where the units of Muster do not let it, see `config/systemd/hardening.conf`.
struct UnitNeeds {
    /// Absolute paths that are read.
    var read: [FilePath]
    var written: [FilePath]
    /// Must be mounted before the unit starts.
    var mounts: [FilePath]
    /// ssh looks for its key, or for the server's, in the home directory.
    var sshNeedsHome: Bool

    init(of job: Job) {
        let repositories = job.repositories.map(\.settings)
        let local = repositories.compactMap(\.localPath)
        let secrets: [FilePath?] = repositories.flatMap {
            [$0.passphrase?.path, $0.ssh?.identityFile, $0.ssh?.knownHosts]
        }
        let secretsOfReceivers: [FilePath?] = job.receivers.flatMap { $0.secrets.map(\.path) + [$0.apprise?.config] }
        read = job.directories.map(\.path) + (secrets + secretsOfReceivers).compactMap(\.self)
        // Borg makes the repository itself, in its parent.
        written = ([job.staging] + local).map(\.placeToMakeIt)
        written += repositories.compactMap { $0.keyExport?.removingLastComponent() }
        // A page and metrics are made beside their files.
        written += [job.report?.html.removingLastComponent(), job.metrics?.directory].compactMap(\.self)
        mounts = [job.staging] + local + job.directories.filter(\.requiresMount).map(\.path)
        sshNeedsHome = repositories.contains { settings in
            settings.localPath == nil && (settings.ssh?.identityFile == nil || settings.ssh?.knownHosts == nil)
        }
    }

    /// What the units hide, and what shows it.
    private static let hidden: [(places: [FilePath], setting: String)] = [
        (["/home", "/root", "/run/user"], "ProtectHome=read-only"), (["/tmp", "/var/tmp"], "PrivateTmp=no"),
        (["/usr/lib/modules"], "ProtectKernelModules=no"),
    ]
    /// As `hardening.conf` has them.
    private static let writable: [FilePath] = [
        "/var/lib/muster", "/var/cache/muster", "/etc/muster", "/srv", "/mnt", "/media", "/var/backups",
    ]

    private var settings: [String] {
        let places = read + written + (sshNeedsHome ? ["/root/.ssh"] : [])
        return Self.hidden.filter { hidden in
            places.contains { path in hidden.places.contains { path.starts(with: $0) || $0.starts(with: path) } }
        }.map(\.setting)
    }

    private var more: [FilePath] { written.filter { path in !Self.writable.contains { path.starts(with: $0) } } }

    /// A drop-in; nil when the job needs nothing more.
    var text: String? {
        var unit: [String] = []
        var service: [String] = []
        let mounts = mounts.filter { !$0.starts(with: "/var/lib/muster") }
        if !mounts.isEmpty { unit = ["[Unit]", "RequiresMountsFor=" + mounts.map(quoted).joined(separator: " ")] }
        if sshNeedsHome { service.append("# ssh finds keys in /root/.ssh.") }
        service += settings
        if !more.isEmpty {
            service.append("ReadWritePaths=" + more.map { quoted($0, prefix: "-") }.joined(separator: " "))
        }
        if !service.isEmpty { service.insert("[Service]", at: 0) }
        return unit.isEmpty && service.isEmpty ? nil : (unit + service).joined(separator: "\n") + "\n"
    }

    private func quoted(_ path: FilePath) -> String { quoted(path, prefix: "") }

    /// In systemd's quotes, where `%` begins a specifier.
    private func quoted(_ path: FilePath, prefix: String) -> String {
        let text = (prefix + path.string).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
            "%", with: "%%")
        return "\"\(text)\""
    }
}

extension FilePath {
    /// The directory that must be writable where this one is made by its user. For one in the root directory it is itself: it must be
    /// there.
    fileprivate var placeToMakeIt: FilePath { components.count > 1 ? removingLastComponent() : self }
}

extension SecretSource {
    /// The path of the file that holds it.
    var path: FilePath? {
        if case .file(let path) = self { FilePath(path) } else { nil }
    }
}
