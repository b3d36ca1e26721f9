import Linux
import Settings
import SystemPackage

extension JobAnswers {
    /// The job file, with a word on what its operator may want to change.
    var text: String {
        let dumps = clusters.flatMap(lines) + namedDirectories.flatMap(lines)
        return opening + "\ndumps:\n" + dumps.asLines + "\n\n" + archiving.asLines + "\n"
    }

    private var opening: String {
        """
        # What the job '\(job)' dumps, and where to. Every key: man muster.yaml, or muster config schema.
        # After a change: muster check \(job)

        # Up to three sets: the last two, and the one being built. Files that did not change are kept once.
        staging: \(quoted(staging.string))

        """
    }

    private func lines(_ cluster: LocalCluster) -> [String] {
        let head = ["  \(cluster.dumpName):", "    provider: postgresql"]
        return head + (UserAccount.currentIsRoot ? runAs(cluster) : []) + [
            "    connection: \(quoted("\(cluster.connection) dbname=postgres"))",
            "    # Every database, also those to come. Leave some out with: databases: {exclude: [scratch_*]}",
        ]
    }

    private func runAs(_ cluster: LocalCluster) -> [String] {
        [
            "    # No password: the server lets in who comes as its own user.",
            "    run_as: \(quoted(cluster.owner))",
        ]
    }

    private func lines(_ directory: (name: String, path: FilePath)) -> [String] {
        [
            "  \(quoted(directory.name)):",
            "    provider: directory",
            "    path: \(quoted(directory.path.string))",
        ]
    }

    private var archiving: [String] {
        var lines = ["repositories:", "  \(isRemote ? "offsite" : "local"):", "    location: \(quoted(repository))"]
        if let remotePath { lines.append("    remote_path: \(quoted(remotePath))") }
        if let sshKey { lines.append("    ssh: {identity_file: \(quoted(sshKey.string))}") }
        return lines + [
            "    passphrase: {file: \(quoted(passphraseFile.string))}",
            "    # The first run creates the repository, and writes its key here. Keep copies of both files elsewhere.",
            "    initialize: repokey-blake2",
            "    key_export: \(quoted(keyExport.string))",
            "    # Dumps are not compressed, so that Borg finds what did not change. It compresses what is new.",
            "    compression: auto,zstd",
            "    # Archives that no rule keeps are deleted after each run, and the repository is checked when it is due.",
            "    keep: {daily: 7, weekly: 4, monthly: 6}",
            "    check: {every: 7d}",
        ]
    }

    private func quoted(_ text: String) -> String { PlainValue.text(text).inline }
}
