import DumpCore

/// Borg has one word for every way in which ssh fails: the connection was closed. What ssh said stands in its log, behind
/// `Remote:`. The client's messages are not translated, and have been the same for decades.
extension BorgFault {
    /// What is behind a lost connection, by what Borg passed on from ssh and from the server's shell, see `BorgMessages.fromServer`.
    static func ofServer(saying lines: [String]) -> BorgFault? {
        serverTable.first { entry in
            lines.contains { line in entry.texts.contains { line.contains($0) } }
        }?.fault
    }

    /// The first that fits counts.
    private static let serverTable: [(texts: [String], fault: BorgFault)] = [
        (
            ["ssh: not found"],
            BorgFault(
                .programUnsuitable, "repository % needs ssh, which is not installed", hint: "Install openssh-client.")
        ),
        (
            ["HOST IDENTIFICATION HAS CHANGED", "has changed and you have requested strict checking"],
            BorgFault(
                .hostKeyRefused, "the server of repository % shows another host key than the one that is known",
                hint:
                    "Find out why before you trust it: it may be another machine. If the change is right, remove the old key "
                    + "with ssh-keygen -R HOST (-f FILE for known_hosts:) and add the new one.")
        ),
        (
            ["Host key verification failed"],
            BorgFault(
                .hostKeyRefused, "the host key of the server of repository % is not known",
                hint:
                    "Compare what ssh-keyscan HOST prints with what the server's owner publishes, and add it to the file "
                    + "that known_hosts: names, or to ~/.ssh/known_hosts of this user.")
        ),
        (
            ["not accessible:", "Load key \""],
            BorgFault(
                .loginRefused, "the key to log in with at the server of repository % cannot be read",
                hint: "Check identity_file: below ssh:. The file must be there, and readable by its owner only.")
        ),
        (
            ["Permission denied (", "Too many authentication failures"],
            BorgFault(
                .loginRefused, "the server of repository % does not let this user in with a key",
                hint:
                    "Check the user in location:, identity_file: below ssh:, and that the key is in authorized_keys there. "
                    + "Nothing is ever asked for: a key with a passphrase needs an agent.")
        ),
        (
            ["Could not resolve hostname"],
            BorgFault(
                .connectionLost, "the name of the server of repository % cannot be resolved",
                hint: "Check the host in location:, and the DNS of this host.")
        ),
        (
            ["Timeout, server"],
            BorgFault(
                .connectionLost, "the connection to repository % stood still, and ssh gave it up",
                hint: "Check the network between this host and the server, then run muster archive.")
        ),
        (
            ["Connection refused", "timed out", "No route to host", "Network is unreachable"],
            BorgFault(
                .connectionLost, "the server of repository % cannot be reached",
                hint: "Check that it is up, its host and port in location: and ssh:, and the network in between.")
        ),
        (
            ["command not found", ": not found", "No such file or directory"],
            BorgFault(
                .programUnsuitable, "there is no Borg of that name at the server of repository %",
                hint: "Set remote_path: to what it is called there, such as borg14, or install it.")
        ),
    ]

    private init(_ code: BorgError.Code, _ message: String, hint: String) {
        self.init([], [], code, message, hint: hint)
    }
}
