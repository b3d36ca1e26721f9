import Glibc

/// How Borg reaches a server: the `ssh` that it is given as `BORG_RSH`.
enum RemoteShell {
    /// Nil where Borg should use what it finds. That is so for a repository of this host. It is also so where the operator has set
    /// `BORG_RSH` and the job says nothing about ssh.
    static func command(
        for settings: RepositorySettings, operatorHasOne: Bool = getenv("BORG_RSH") != nil
    ) -> String? {
        guard settings.isRemote, settings.ssh != nil || !operatorHasOne else { return nil }
        let words = ["sh", "-c", lingering, "ssh"] + options(settings.ssh ?? SSHSettings())
        return words.map(quoted).joined(separator: " ")
    }

    /// When ssh fails, its last words and the end of its output reach Borg at once. Borg looks at the output first, and then drops the
    /// words that say why. If the end comes a second later, the words come through. The status tells whether ssh itself failed (255,
    /// ssh(1)) or the program that it started.
    private static let lingering =
        #"ssh "$@" || { status=$?; echo "\#(ending)$status" >&2; sleep 1; exit $status; }"#

    private static let ending = "ssh ended with status "

    /// How ssh ended, by what came from it; nil if another shell than ours was used, or it has not ended.
    static func status(in lines: [String]) -> Int32? {
        lines.last { $0.hasPrefix(ending) }.flatMap { Int32($0.dropFirst(ending.count)) }
    }

    private static func options(_ ssh: SSHSettings) -> [String] {
        // ssh takes the first of several values for one option.
        var words = ssh.options.map { "-o\($0)" } + defaults.map { "-o\($0)" }
        if let file = ssh.identityFile { words += ["-oIdentitiesOnly=yes", "-i", file.string] }
        if let file = ssh.knownHosts {
            // Within the value, blanks part one file from the next.
            words += ["-oUserKnownHostsFile=\"\(file)\""]
        }
        if let port = ssh.port { words += ["-p", String(port)] }
        return words
    }

    /// Never ask, and find out within five minutes that the server is gone, as Borg's documentation recommends.
    private static let defaults = [
        "BatchMode=yes", "ConnectTimeout=60", "ServerAliveInterval=10", "ServerAliveCountMax=30",
    ]

    /// For Python's `shlex.split`, which reads quotes as a shell does.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.wholeMatch(of: /[A-Za-z0-9@%+=:,.\/_-]+/) != nil
        return isPlain ? word : "'" + word.replacing("'", with: #"'"'"'"#) + "'"
    }
}
