import Glibc
import Linux
import SystemPackage

/// Where Borg keeps its own files on this host: settings, what it knows of repositories, keys, and its cache of each repository.
///
/// As `borg help environment` has it; the same in Borg 1.2 and 1.4.
struct BorgDirectories: Sendable, Equatable {
    var configuration: FilePath
    var cache: FilePath
    var security: FilePath
    var keys: FilePath

    /// - Parameter variable: looks up an environment variable as Borg will find it.
    init(variable: (String) -> String?) {
        func place(_ own: String, _ shared: String, _ hidden: String) -> FilePath {
            if let path = variable(own) { return FilePath(path) }
            if let base = variable("BORG_BASE_DIR"), !base.isEmpty {
                return FilePath(base).appending(hidden).appending("borg")
            }
            // A service of root's has no HOME.
            let home = variable("HOME") ?? UserAccount.current?.home ?? "/"
            return (variable(shared).map { FilePath($0) } ?? FilePath(home).appending(hidden)).appending("borg")
        }
        configuration = place("BORG_CONFIG_DIR", "XDG_CONFIG_HOME", ".config")
        cache = place("BORG_CACHE_DIR", "XDG_CACHE_HOME", ".cache")
        security = variable("BORG_SECURITY_DIR").map { FilePath($0) } ?? configuration.appending("security")
        keys = variable("BORG_KEYS_DIR").map { FilePath($0) } ?? configuration.appending("keys")
    }

    /// Those that every Borg writes to.
    var all: [FilePath] { [security, cache] }

    /// Whether a path is one of Borg's own files, or a directory that Borg would have to make for them.
    func hold(_ path: FilePath) -> Bool {
        (all + [configuration, keys]).contains {
            path.starts(with: $0) || ($0.starts(with: path) && path.components.count > 1)
        }
    }
}

extension BorgEnvironment {
    var directories: BorgDirectories {
        BorgDirectories(variable: variable)
    }
}
