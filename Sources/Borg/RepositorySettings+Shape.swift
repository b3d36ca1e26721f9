import DumpCore
import Settings
import SystemPackage

extension RepositorySettings {
    /// What may stand under a repository's name in a job file.
    public static var shape: ObjectShape<RepositorySettings> {
        ObjectShape(default: RepositorySettings())
            .required(
                "location", \.location, .location,
                "What Borg calls the repository: user@host:path, ssh://user@host/path, or an absolute path."
            )
            .key("borg", \.program, .program, "The borg executable: a name to look up in PATH, or an absolute path.")
            .optional(
                "remote_path", \.remotePath, .name, "The borg command on the other side, such as rsync.net's borg14."
            )
            .optional("passphrase", \.passphrase, .secret, "The passphrase of the repository's key.")
            .optional(
                "initialize", \.initialize, .choice,
                "The encryption to create the repository with when it does not exist. If not set, it must exist."
            )
            .key(
                "lock_wait", \.lockWait, .wholeSeconds,
                "How long to wait for another's lock on the repository, in whole seconds."
            )
            .optional(
                "key_export", \.keyExport, .absolutePath,
                "A file that does not exist, for a copy of the repository's key. Store it on another host, with the passphrase."
            )
            .creationKeys()
            .optional(
                "ssh", \.ssh, SSHSettings.shape.shape,
                "How ssh reaches the server. If not set, as ssh itself is set up, or as BORG_RSH says."
            )
            .key(
                "retry", \.retry, .retry(default: RepositorySettings().retry),
                "An archive is begun anew after a failure that passes: another's lock, a lost connection."
            )
            .key(
                "stall_timeout", \.stallTimeout, .timeLimit,
                "How long a Borg may say nothing before it is stopped and fails."
            )
            .check("initialize", "passphrase") { $0.passphraseFault }
            .check("key_export", "initialize") { $0.keyExportFault }
            .check("ssh", "location") { $0.sshFault }
            .check("stall_timeout", "lock_wait") { $0.stallFault }
    }

    /// Whether it is on a server that Borg reaches by ssh. Only a path has no host.
    var isRemote: Bool { !location.hasPrefix("/") && !location.hasPrefix("file://") }

    private var sshFault: Fault? {
        guard let ssh else { return nil }
        guard isRemote else {
            return Fault(
                "the repository is a directory of this host: ssh has nothing to do with it",
                hint: "Leave 'ssh' out, or write the location as user@host:path or ssh://user@host/path.")
        }
        guard ssh.port == nil || location.firstMatch(of: /^ssh:\/\/[^\/]*:[0-9]+(\/|$)/) == nil else {
            return Fault("the port stands in 'location' too", hint: "Leave one of them out.")
        }
        return nil
    }

    private var stallFault: Fault? {
        guard let stallTimeout, stallTimeout <= lockWait else { return nil }
        return Fault(
            "stall_timeout must be longer than lock_wait: a Borg that waits for a lock says nothing",
            hint: "stall_timeout is \(stallTimeout.settingsText), lock_wait is \(lockWait.settingsText).")
    }

    /// Where the repository is if it is on this host and its location says so without Borg's placeholders.
    public var localPath: FilePath? {
        let path = location.hasPrefix("file://") ? String(location.dropFirst("file://".count)) : location
        guard path.hasPrefix("/"), !path.contains("{") else { return nil }
        return FilePath(path).lexicallyNormalized()
    }

    private var passphraseFault: Fault? {
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
}

extension RepositorySettings {
    private var keyExportFault: Fault? {
        guard keyExport != nil, initialize == Encryption.none else { return nil }
        return Fault("a repository without encryption has no key to export", hint: "Leave 'key_export' out.")
    }
}

extension Shape<String> {
    fileprivate static var location: Shape { name.checked { locationFault(in: $0) } }

    /// Borg 1 reads `scheme://…`, `[user@]host:path` and paths. A relative path would depend on where Muster is started.
    private static func locationFault(in location: String) -> Fault? {
        // Numeric hosts of IPv6 are in brackets.
        if location.replacing(/\[[^\]]*\]/, with: "").contains("::") {
            return Fault("must not name an archive (::)", hint: "Muster names the archives itself.")
        }
        let (scheme, rest) = splitScheme(of: location)
        let authority = rest.prefix { $0 != "/" }
        if scheme != nil || authority.filter({ $0 == ":" }).count > 1, hasPassword(authority) {
            return Fault(
                "a password is never written in a job file", hint: "Borg logs in with SSH keys; leave the password out."
            )
        }
        if authority.hasPrefix("-") { return Fault("must not begin with '-'") }
        let isUnderstood =
            switch scheme {
            case "ssh": authority.wholeMatch(of: /([^@:\[\]]+@)?([^@:\[\]]+|\[[^\]]+\])(:[0-9]+)?/) != nil
            case "file": authority.isEmpty
            case nil: location.hasPrefix("/") || authority.dropFirst().contains(":") && authority.first != ":"
            default: false
            }
        return isUnderstood
            ? nil
            : Fault(
                "must be an absolute path or name a host", hint: "Write /path, user@host:path or ssh://user@host/path.")
    }

    private static func splitScheme(of location: String) -> (scheme: Substring?, rest: Substring) {
        let parts = location.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].allSatisfy({ $0.isASCII && $0.isLetter }) else { return (nil, location[...]) }
        return (parts[0], parts[1])
    }

    /// `user:password@host`, as far as a `/`.
    private static func hasPassword(_ authority: Substring) -> Bool {
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }

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

extension Shape<Duration> {
    fileprivate static var wholeSeconds: Shape {
        duration().checked { $0.components.attoseconds == 0 ? nil : Fault("must be whole seconds") }
    }
}
