import DumpCore
import Glibc
import Linux
import MusterConfig
import SystemPackage

/// Asks a person on the terminal for what a new job is to be. An empty answer takes what stands in brackets.
struct Interview {
    private var rest: [UInt8] = []

    mutating func answers(for job: String) throws -> JobAnswers {
        let clusters = try askClusters()
        let directories = try askDirectories(isAllThereIs: clusters.isEmpty)
        var answers = JobAnswers(job: job, repository: try askRepository(for: job))
        answers.clusters = clusters
        answers.directories = directories
        if answers.isRemote { answers.sshKey = try askKey() }
        return answers
    }

    private mutating func askClusters() throws -> [LocalCluster] {
        var chosen: [LocalCluster] = []
        for cluster in LocalCluster.found() {
            let question =
                "Dump all databases of \(cluster.owner)'s PostgreSQL at port \(cluster.port) in \(cluster.directory)?"
            if try confirm(question) { chosen.append(cluster) }
        }
        return chosen
    }

    private mutating func askDirectories(isAllThereIs: Bool) throws -> [FilePath] {
        let usual = ["/etc", "/home", "/root", "/srv", "/var/www"].filter(Self.holdsSomething)
        while true {
            let text = try ask("Directories to back up, with blanks between, or none", usual.joined(separator: " "))
            let words = text == "none" ? [] : text.split(atASCII: " ").map(String.init)
            if let wrong = words.first(where: { !$0.hasPrefix("/") || !Self.isDirectory($0) }) {
                say("There is no directory \(wrong). A path begins with /.")
            } else if words.isEmpty && isAllThereIs {
                say("Then there is nothing to back up. Name a directory, or start PostgreSQL and begin again.")
            } else {
                return words.map { FilePath($0).lexicallyNormalized() }
            }
        }
    }

    private mutating func askRepository(for job: String) throws -> String {
        while true {
            let text = try ask("Where to? A path here, or user@host:path", "/srv/backup/\(job)")
            if text.hasPrefix("/") || text.contains(":") { return text }
            say("'\(text)' is neither. Such as /srv/backup/\(job), or 12345@usw-s001.rsync.net:backups/\(job).")
        }
    }

    private mutating func askKey() throws -> FilePath? {
        while true {
            let text = try ask("The ssh key for that and nothing else, or none", "none")
            if text == "none" { return nil }
            if text.hasPrefix("/"), access(text, R_OK) == 0 { return FilePath(text) }
            say("Cannot read \(text). Make one: ssh-keygen -t ed25519 -N '' -f /etc/muster/ssh_key")
        }
    }

    mutating func confirm(_ question: String) throws -> Bool {
        while true {
            switch try ask(question, "yes").lowercased() {
            case "y", "yes": return true
            case "n", "no": return false
            default: say("Answer yes or no.")
            }
        }
    }

    private mutating func ask(_ question: String, _ usual: String) throws -> String {
        Console.shared.prompt(question + (usual.isEmpty ? ": " : " [\(usual)]: "))
        guard let line = try nextLine() else {
            throw SetupError(
                "the answers end here, and there is no terminal to ask on",
                hint: "On a terminal, muster init asks. In a script, give all answers: muster config generate --help.")
        }
        let answer = String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        return answer.isEmpty ? usual : answer
    }

    /// Nil at the end of input.
    private mutating func nextLine() throws -> String? {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, 200) > 0 else {
                try Task.checkCancellation()
                continue
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { return nil }
            rest += buffer[..<count]
        }
    }

    private func say(_ text: String) { Console.shared.result(text) }

    private static func isDirectory(_ path: String) -> Bool {
        // A link counts as what it leads to.
        (try? FileSystem.names(in: FilePath(path))) != nil
    }

    private static func holdsSomething(_ path: String) -> Bool {
        (try? FileSystem.names(in: FilePath(path)))?.isEmpty == false
    }
}

/// Why a job could not be set up.
struct SetupError: OperatorError {
    let codeName = "setup"
    var message: String
    var hint: String?
    var context: ErrorContext = [:]

    init(_ message: String, hint: String? = nil) {
        (self.message, self.hint) = (message, hint)
    }
}

extension Errno {
    /// What to do about a file that cannot be written.
    var adviceOnWriting: String? {
        switch self {
        case .permissionDenied, .notPermitted: "Run it as root, or as the user whose jobs they are."
        case .noSpace, .diskQuotaExceeded: "Make room there, then repeat it."
        case .readOnlyFileSystem: "Its file system is mounted read only."
        default: nil
        }
    }
}
