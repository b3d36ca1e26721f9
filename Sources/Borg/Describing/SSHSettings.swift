import Settings
import SystemPackage

/// What a job file says of the way to a repository's server.
public struct SSHSettings: Sendable, Equatable {
    /// The private key to log in with, and no other. It has no passphrase, or an agent knows it.
    public var identityFile: FilePath?
    public var port: Int?
    /// The file with the server's host key, in place of the user's own.
    public var knownHosts: FilePath?
    /// As `ssh -o` takes them, `Name=value`. They win over ours.
    public var options: [String] = []

    public init() {}
}

extension SSHSettings {
    static var shape: ObjectShape<SSHSettings> {
        ObjectShape(default: SSHSettings())
            .optional(
                "identity_file", \.identityFile, .sshPath.example("/root/.ssh/backup"),
                "The private key to log in with. It must work without a passphrase, unless an agent holds it."
            )
            .optional("port", \.port, .integer(1...65535).example(2222), "The port of the server's sshd.")
            .optional(
                "known_hosts", \.knownHosts, .sshPath.example("/etc/muster/known_hosts"),
                "The file with the server's host key, in place of this user's own."
            )
            .key(
                "options", \.options, .list(of: .sshOption).example(["Compression=yes"]),
                "More options for ssh -o, such as Compression=yes. They override those of Muster."
            )
            .example("{identity_file: /root/.ssh/backup, port: 22}")
    }
}

extension Shape<FilePath> {
    fileprivate static var sshPath: Shape {
        absolutePath.checked { path in
            path.string.contains { "%$\"\\".contains($0) }
                ? Fault("must not contain % $ \" \\, which mean something to ssh") : nil
        }
    }
}

extension Shape<String> {
    fileprivate static var sshOption: Shape {
        matching("[A-Za-z][A-Za-z0-9]*=.+", "an option such as Compression=yes", hint: "See 'man ssh_config'.")
    }
}
