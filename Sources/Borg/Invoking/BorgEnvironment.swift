import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// What every Borg finds around it.
struct BorgEnvironment: Sendable {
    /// As `BORG_REPO`, so that no argument begins with it and Borg has nothing to guess.
    var location: String
    var remotePath: String?
    /// The ssh to use, see `RemoteShell`. Nil for the one of our environment, or Borg's own choice.
    var shell: String?
    /// Nil for a repository that has none. Borg is given an empty one then, which keeps it from asking for one.
    var passphrase: Secret?
    /// Over all others.
    var extra: [String: String]

    /// Our variables that Borg gets. They say where Borg keeps its files, which host it is on and how it reaches the server. Others choose
    /// its workarounds, say whether it tests itself at each start, and hold the answers that the operator gives for one run.
    ///
    /// Variables that would change what Borg works on or what it says are not passed on. Examples are `BORG_REPO`, `BORG_PASSCOMMAND` and
    /// `BORG_LOGGING_CONF`, which overrides `--log-json`.
    static let inherited =
        places + [
            "BORG_HOST_ID", "BORG_RSH", "BORG_RELOCATED_REPO_ACCESS_IS_OK",
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "BORG_WORKAROUNDS", "BORG_SELFTEST", "SSH_AUTH_SOCK",
        ]

    /// Those of them that say where Borg keeps its files.
    private static let places = [
        "BORG_BASE_DIR", "BORG_CACHE_DIR", "BORG_CONFIG_DIR", "BORG_SECURITY_DIR", "BORG_KEYS_DIR", "BORG_KEY_FILE",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
    ]

    /// As Borg finds it. Nil if it is not set, or to nothing.
    func variable(_ name: String) -> String? {
        let value = extra[name] ?? getenv(name).map { String(cString: $0) }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Throws unless Borg keeps its files at whole paths. Else it makes them below whatever directory it works in, and that is a published
    /// set when it archives one.
    func requireWholePaths() throws(BorgError) {
        // Every program gets HOME.
        for name in ["HOME"] + Self.places {
            guard let path = variable(name), !path.utf8.starts(with: "/".utf8) else { continue }
            throw BorgError(
                .settings, "\(name) is '\(path)', which is not a path from / on",
                hint: "Write the whole path: neither systemd nor Borg knows ~ there.", context: ["variable": name])
        }
    }

    /// Borg ends in good order on SIGTERM, but only between two pieces of work, which may be slow on a slow link. SIGKILL
    /// would leave its lock behind.
    private static let grace = Duration.seconds(60)

    func program(_ executable: FilePath, _ arguments: [String], in directory: FilePath = "/") -> Program {
        Program(
            executable, arguments, environment: variables,
            // What is set to nothing is not set: Borg would take it for the directory that it works in.
            inheritedPrefixes: Self.inherited.filter { variable($0) != nil },
            workingDirectory: directory,
            secrets: [.descriptor(namedBy: "BORG_PASSPHRASE_FD", passphrase ?? Secret(""))], grace: Self.grace)
    }

    /// For a Borg that opens no repository.
    var withoutPassphrase: BorgEnvironment {
        var environment = self
        environment.passphrase = nil
        return environment
    }

    /// For a Borg that an operator speaks with. It takes the place of our process and gets all of our environment. If we have a passphrase
    /// for it, variables that would give it another are withheld.
    func replacement(_ executable: FilePath, _ arguments: [String]) -> ProcessReplacement {
        var replacement = ProcessReplacement(executable, arguments, environment: reaching.merging(extra) { $1 })
        if let passphrase {
            replacement.withheld = ["BORG_PASSPHRASE", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD"]
            replacement.secret = .descriptor(namedBy: "BORG_PASSPHRASE_FD", passphrase)
        }
        return replacement
    }

    /// Which repository, and how to get there.
    private var reaching: [String: String] {
        var variables = ["BORG_REPO": location]
        variables["BORG_REMOTE_PATH"] = remotePath
        variables["BORG_RSH"] = shell
        return variables
    }

    private var variables: [String: String] {
        var variables = [
            // An exit status for each kind of failure, where Borg has them (1.4).
            "BORG_EXIT_CODES": "modern",
            // No paragraph about the host below each error.
            "BORG_SHOW_SYSINFO": "no",
            // Borg's JSON has local times without a zone.
            "TZ": "UTC",
        ]
        if variable("HOME") == nil, getenv("HOME") != nil { variables["HOME"] = UserAccount.current?.home ?? "/" }
        return variables.merging(reaching) { $1 }.merging(extra) { $1 }
    }
}
