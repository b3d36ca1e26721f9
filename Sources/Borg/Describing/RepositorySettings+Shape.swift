import DumpCore
import Settings
import SystemPackage

extension RepositorySettings {
    /// What may stand under a repository's name in a job file.
    public static var shape: ObjectShape<RepositorySettings> {
        ObjectShape(default: RepositorySettings())
            .required(
                "location", \.location, .repositoryLocation.example("12345@usw-s001.rsync.net:backups/nightly"),
                "Where the repository is: user@host:path, ssh://user@host/path, or an absolute path."
            )
            .key("borg", \.program, .program, "The borg executable: a name to look up in PATH, or an absolute path.")
            .optional(
                "remote_path", \.remotePath, .name.example("borg14"),
                "The borg command on the other side, such as rsync.net's borg14."
            )
            .optional("passphrase", \.passphrase, .secret, "The passphrase of the repository's key.")
            .optional(
                "initialize", \.initialize, .choice.example("repokey-blake2"),
                "The encryption of a repository that Muster creates. Not set: the repository must exist."
            )
            .optional(
                "encryption", \.encryption, .choice.example("none"),
                "none: use an existing repository without encryption. Not set: refuse it, unless 'initialize' is none too."
            )
            .key(
                "lock_wait", \.lockWait, .wholeSeconds,
                "How long to wait while another process locks the repository, in whole seconds."
            )
            .optional(
                "key_export", \.keyExport, .absolutePath.example("/root/offsite.borg-key"),
                "Where to write a copy of the repository's key; the file must not exist. Store it on another host, with the passphrase."
            )
            .creationKeys()
            .optional(
                "ssh", \.ssh, SSHSettings.shape.shape,
                "How ssh reaches the server. Not set: as ssh is configured, or as BORG_RSH says."
            )
            .key(
                "retry", \.retry, .retry(default: RepositorySettings().retry),
                "How often to retry an archive after a transient failure: another's lock, a lost connection."
            )
            .key(
                "stall_timeout", \.stallTimeout, .timeLimit,
                "How long Borg may print nothing before Muster stops it."
            )
            .optional(
                "keep", \.keep, .retention,
                "Which archives of this job to keep, by the rules of borg prune. Each run deletes the others. Not set: keep all."
            )
            .optional(
                "check", \.check, .checkSchedule,
                "When a run lets borg check the repository, after the archive. Not set: never."
            )
            .optional(
                "alert_after", \.alertAfter, .duration(atLeast: .seconds(1)).example("26h"),
                "How old the last confirmed archive may become before muster status says FAILED. Not set: as for the job."
            )
            .check("initialize", "passphrase") { $0.passphraseFault }
            .check("key_export", "initialize") { $0.keyExportFault }
            .check("ssh", "location") { $0.sshFault }
            .check("stall_timeout", "lock_wait") { $0.stallFault }
    }

    /// Whether it is on a server that Borg reaches by ssh. Only a path has no host.
    var isRemote: Bool { !location.hasPrefix("/") && !location.hasPrefix("file://") }

    /// The same for two locations that differ in their spelling alone: a slash at the end and, on this host, `//`, `/./` and `file://`. On a
    /// server `/./` means something.
    public var plainLocation: String {
        if !isRemote { return localPath?.string ?? location }
        return String(location.reversed().drop { $0 == "/" }.reversed())
    }

    /// Where the repository is if it is on this host and its location says so without Borg's placeholders.
    public var localPath: FilePath? {
        let path = location.hasPrefix("file://") ? String(location.dropFirst("file://".count)) : location
        guard path.hasPrefix("/"), !path.contains("{") else { return nil }
        return FilePath(path).lexicallyNormalized()
    }
}

/// What must hold between several keys.
extension RepositorySettings {
    fileprivate var passphraseFault: Fault? {
        switch (initialize, passphrase) {
        case (.none?, _?):
            Fault(
                "a repository without encryption has no passphrase",
                hint: "Leave 'passphrase' out, or choose an encryption such as repokey-blake2.")
        case (let mode?, nil) where mode != .none:
            Fault(
                "\(mode.rawValue) needs a passphrase",
                hint: "Write passphrase: {file: /path/to/it} beside it, or {command: …} or {credential: NAME}.")
        default: nil
        }
    }

    fileprivate var sshFault: Fault? {
        guard let ssh else { return nil }
        guard isRemote else {
            return Fault(
                "the repository is a directory of this host: ssh has nothing to do with it",
                hint: "Leave 'ssh' out, or write the location as user@host:path or ssh://user@host/path.")
        }
        guard ssh.port == nil || location.firstMatch(of: /^ssh:\/\/[^\/]*:[0-9]+(\/|$)/) == nil else {
            return Fault("the port is in 'location' too", hint: "Leave one of them out.")
        }
        return nil
    }

    fileprivate var stallFault: Fault? {
        guard let stallTimeout, stallTimeout <= lockWait else { return nil }
        return Fault(
            "stall_timeout must be longer than lock_wait: Borg prints nothing while it waits for a lock",
            hint: "stall_timeout is \(stallTimeout.settingsText), lock_wait is \(lockWait.settingsText).")
    }

    fileprivate var keyExportFault: Fault? {
        guard keyExport != nil, initialize == Encryption.none else { return nil }
        return Fault("a repository without encryption has no key to export", hint: "Leave 'key_export' out.")
    }
}

extension Shape<Duration> {
    fileprivate static var wholeSeconds: Shape {
        duration().checked { $0.components.attoseconds == 0 ? nil : Fault("must be whole seconds") }
    }
}

extension Shape<String> {
    fileprivate static var program: Shape {
        name.checked { text in
            if text.hasPrefix("-") { return Fault("must not begin with '-'") }
            guard !text.contains("/") || text.hasPrefix("/") else {
                return Fault("must be a name without '/', or an absolute path")
            }
            return nil
        }
    }
}
