import DumpCore
import Glibc
import Jobs
import Linux
import MusterConfig
import SystemPackage

/// Makes a job of an operator's answers: its passphrase and its file. What is there already stays as it is.
struct JobSetup {
    let answers: JobAnswers
    let file: FilePath

    init(_ answers: JobAnswers, in directory: FilePath = JobFile.directory()) {
        self.answers = answers
        file = directory.appending("\(answers.job).yaml")
    }

    /// What was done, a line each.
    func perform() throws -> [String] {
        let job = try validated()
        let directory = file.removingLastComponent()
        guard try !isThereOtherwise(in: directory) else { return ["kept the job '\(answers.job)' in \(directory)"] }
        // A job that is there has places of its own, whatever these answers say.
        let places = isThere ? [] : [job.staging.removingLastComponent(), job.localParent]
        var done: [String] = []
        for parent in ([directory] + places).compactMap(\.self) {
            done += try makeDirectories(parent).map { "made the directory \($0)" }
        }
        return done + [try writePassphrase(), try writeFile()]
    }

    private var isThere: Bool { (try? FileSystem.status(of: file)) != nil }

    /// Whether the job has a file of another form.
    private func isThereOtherwise(in directory: FilePath) throws -> Bool {
        JobFile.exists(answers.job, in: directory) && !isThere
    }

    /// The job that the text spells. The messages on a wrong answer are those on a wrong file.
    private func validated() throws -> Job {
        try JobFile.requireName(answers.job)
        return try JobFile.parse(Array(answers.text.utf8), name: answers.job, file: file, kinds: BuiltInProviders.kinds)
    }

    /// A passphrase that is there may be that of archives that are there.
    private func writePassphrase() throws -> String {
        let path = answers.passphraseFile
        let words = (0..<4).map { _ in UInt64.random(in: .min ... .max).digits(16, radix: 16) }
        return try written(path, Array((words.joined() + "\n").utf8), as: "a new passphrase in \(path)")
            ?? "kept the passphrase in \(path)"
    }

    private func writeFile() throws -> String {
        try written(file, Array(answers.text.utf8), as: "the job file \(file)")
            ?? "kept the job file \(file): edit it to change the job"
    }

    /// Nil when there is something of that name.
    private func written(_ path: FilePath, _ bytes: [UInt8], as what: String) throws -> String? {
        do {
            try FileSystem.createPrivateFile(path, holding: bytes)
            return "wrote \(what)"
        } catch Errno.fileExists {
            return nil
        } catch {
            throw SetupError(
                "cannot write \(path): \(error)", hint: "Run it as root, or as the user whose jobs they are.")
        }
    }

    /// Returns those that were not there. Root makes none where another user could exchange it for a link meanwhile.
    private func makeDirectories(_ path: FilePath) throws -> [FilePath] {
        if let part = try path.looseParts().first {
            throw SetupError(
                "cannot make \(path) safely: \(part)", hint: "\(part.remedy) Or make the directory yourself.")
        }
        var made: [FilePath] = []
        var parts = FilePath(root: path.root, [])
        for component in path.components {
            parts.append(component)
            do {
                try FileSystem.createDirectory(parts)
                made.append(parts)
            } catch Errno.fileExists {
                continue
            } catch {
                throw SetupError("cannot make the directory \(parts): \(error)")
            }
        }
        return made
    }
}

extension Job {
    /// The directory that a repository on this host is made in. Borg makes one level only.
    fileprivate var localParent: FilePath? { repositories.first?.settings.localPath?.removingLastComponent() }
}
