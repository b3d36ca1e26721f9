import ArgumentParser
import DumpCore
import MusterConfig
import SystemPackage

/// `muster init` without a question.
struct GenerateCommand: MusterCommand {
    static let manual = CommandManual(
        "generate", "Write a job file, and its passphrase, from answers on the command line.",
        story: """
            This does what muster init does, without asking: it writes a passphrase and a commented job file, and overwrites neither. With \
            --print, it changes nothing. Check the job afterwards with muster check.
            """,
        examples: [
            "muster config generate nightly --postgresql --directory /srv/documents --repository /srv/backup/nightly":
                "Dump all databases and a directory into a repository on this host.",
            "muster config generate nightly --directory /etc --repository me@host:backups/nightly --print":
                "Show the file that this would write.",
        ])

    @Argument(help: ArgumentHelp("The job's name.", valueName: "job")) var job = "nightly"
    @Flag(help: "Dump every PostgreSQL server that listens at a socket of this host.") var postgresql = false
    @Option(help: ArgumentHelp("Dump only the servers at these ports.", valueName: "port")) var port: [Int] = []
    @Option(help: ArgumentHelp("A directory to back up. May be given several times.", valueName: "dir")) var directory:
        [String] = []
    @Option(help: ArgumentHelp("Where to: a path here, or user@host:path.", valueName: "location")) var repository:
        String
    @Option(help: ArgumentHelp("Where dumps are staged.", valueName: "dir")) var staging: String?
    @Option(help: ArgumentHelp("The file of the passphrase. Made if it is not there.", valueName: "file"))
    var passphraseFile: String?
    @Option(help: ArgumentHelp("Where the repository's key is exported to.", valueName: "file")) var keyExport: String?
    @Option(help: ArgumentHelp("The ssh key for the repository.", valueName: "file")) var sshKey: String?
    @Option(help: ArgumentHelp("Borg's name on the server.", valueName: "command")) var remotePath: String?
    @Flag(help: "Print the job file, and write nothing.") var print = false

    func run() async throws {
        let answers = try answers()
        if print {
            Console.shared.result(String(answers.text.dropLast()))
        } else {
            Console.shared.result(try JobSetup(answers).perform().asLines)
        }
    }

    private func answers() throws -> JobAnswers {
        var answers = JobAnswers(job: job, repository: repository)
        answers.clusters = try clusters()
        answers.directories = directory.map(JobOptions.absolute)
        guard !answers.clusters.isEmpty || !answers.directories.isEmpty else {
            throw ValidationError("there is nothing to back up", hint: "Name it with --postgresql or --directory.")
        }
        if let staging { answers.staging = JobOptions.absolute(staging) }
        if let passphraseFile { answers.passphraseFile = JobOptions.absolute(passphraseFile) }
        if let keyExport { answers.keyExport = JobOptions.absolute(keyExport) }
        if let sshKey { answers.sshKey = JobOptions.absolute(sshKey) }
        if let remotePath { answers.remotePath = remotePath }
        return answers
    }

    private func clusters() throws -> [LocalCluster] {
        guard postgresql || !port.isEmpty else { return [] }
        let found = LocalCluster.found()
        let ports = found.map { String($0.port) }.joined(separator: ", ")
        if let missing = port.first(where: { port in !found.contains { $0.port == port } }) {
            throw ValidationError(
                "no PostgreSQL server listens at a socket for port \(missing)",
                hint: found.isEmpty ? "Start it first." : "There are servers at: \(ports).")
        }
        guard !found.isEmpty else {
            throw ValidationError(
                "no PostgreSQL server listens at a socket of this host",
                hint: "Start it first. Looked in \(LocalCluster.places.map(\.string).joined(separator: ", ")).")
        }
        return port.isEmpty ? found : found.filter { port.contains($0.port) }
    }
}
