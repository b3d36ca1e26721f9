import DumpCore
import Processes

/// Borg has one word for every way in which ssh fails: the connection was closed. What ssh said is in its log, among all that the server's
/// login scripts, its banner and its shell said. The client's messages are not translated, and have been the same for decades.
extension BorgFault {
    /// What is behind a lost connection.
    ///
    /// Only two kinds of lines count: ssh's own, known by how they begin, and the remote shell's word about Borg. Other lines that a server
    /// prints at login are there on good days too.
    ///
    /// - Parameters:
    ///   - lines: that came from ssh.
    ///   - program: what Borg is called at the server.
    ///   - hasBegun: Borg was at work there, so that no login can be the cause.
    static func ofServer(saying lines: [String], program: String, hasBegun: Bool) -> BorgFault? {
        let status = RemoteShell.status(in: lines)
        if lines.contains(where: sshMissing.fits) { return noSSH }
        if status ?? 255 == 255, let fault = saidBySSH(lines, hasBegun: hasBegun) { return fault }
        return !hasBegun && isMissing(program, status, lines) ? borgMissing : nil
    }

    private static func saidBySSH(_ lines: [String], hasBegun: Bool) -> BorgFault? {
        sshTable.first { entry in
            (!hasBegun || entry.fault.code == .connectionLost)
                && lines.contains { line in entry.signs.contains { $0.fits(line) } }
        }?.fault
    }

    private static func isMissing(_ program: String, _ status: Int32?, _ lines: [String]) -> Bool {
        // sh(1): 127 for a program that is not there, 126 for one that cannot be run.
        if let status { return status == 127 || status == 126 }
        return lines.contains { line in
            line.contains(program)
                && ["not found", "No such file or directory", "Unknown command"].contains { line.contains($0) }
        }
    }

    /// How a line of ssh's own looks.
    private struct Sign: Sendable {
        var begin: String
        var text: String
        /// Behind `user@host: `.
        var isAddressed = false

        init(_ begin: String, _ text: String = "") { (self.begin, self.text) = (begin, text) }

        static func addressed(_ begin: String) -> Sign {
            var sign = Sign(begin)
            sign.isAddressed = true
            return sign
        }

        func fits(_ line: String) -> Bool {
            guard isAddressed else { return line.hasPrefix(begin) && line.contains(text) }
            guard let end = line.firstRange(of: ": ") else { return false }
            let address = line[..<end.lowerBound]
            return address.contains("@") && !address.contains(" ") && line[end.upperBound...].hasPrefix(begin)
        }
    }

    /// The first that fits counts.
    private static let sshTable: [(signs: [Sign], fault: BorgFault)] = [
        (
            [
                Sign("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED"),
                Sign("Host key for ", "has changed and you have requested strict checking"),
            ],
            BorgFault(
                .hostKeyRefused, "the server of repository % shows another host key than the one that is known",
                hint:
                    "Find out why before you trust it: it may be another machine. If the change is right, remove the old key "
                    + "with ssh-keygen -R HOST (-f FILE for known_hosts:) and add the new one.")
        ),
        (
            [Sign("Host key verification failed")],
            BorgFault(
                .hostKeyRefused, "the host key of the server of repository % is not known",
                hint:
                    "Compare what ssh-keyscan HOST prints with what the server's owner publishes, and add it to the file "
                    + "that known_hosts: names, or to ~/.ssh/known_hosts of this user.")
        ),
        (
            [
                Sign("Warning: Identity file ", "not accessible: "), Sign("no such identity: "), Sign("Load key \""),
            ],
            BorgFault(
                .loginRefused, "the key to log in with at the server of repository % cannot be read",
                hint: "Check identity_file: below ssh:. The file must be there, and readable by its owner only.")
        ),
        (
            [.addressed("Permission denied ("), Sign("Received disconnect from ", "Too many authentication failures")],
            BorgFault(
                .loginRefused, "the server of repository % does not let this user in with a key",
                hint:
                    "Check the user in location:, identity_file: below ssh:, and that the key is in authorized_keys there. "
                    + "ssh cannot ask for anything: a key with a passphrase needs an agent.")
        ),
        (
            [Sign("ssh: Could not resolve hostname ")],
            BorgFault(
                .connectionLost, "the name of the server of repository % cannot be resolved",
                hint: "Check the host in location:, and the DNS of this host.")
        ),
        (
            [Sign("Timeout, server ")],
            BorgFault(
                .connectionLost, "the connection to repository % hung, and ssh gave up",
                hint: "Check the network between this host and the server, then run muster archive.")
        ),
        (
            [Sign("ssh: connect to host "), Sign("Connection timed out during banner exchange")],
            BorgFault(
                .connectionLost, "the server of repository % cannot be reached",
                hint: "Check that it is up, its host and port in location: and ssh:, and the network in between.")
        ),
    ]

    /// The shell on this host, which was to start ssh, says so.
    private static let sshMissing = Sign("sh: ", "ssh: not found")
    private static let noSSH = BorgFault(
        .programUnsuitable, "repository % needs ssh, which is not installed", hint: "Install openssh-client.")

    private static let borgMissing = BorgFault(
        .programUnsuitable, "there is no Borg of that name at the server of repository %",
        hint: "Set remote_path: to what it is called there, such as borg14, or install it.")
}
