import ArgumentParser
import Catalog
import Jobs
import MusterConfig
import Settings
import Staging

/// What a shell completes: names that stand in job files, and archives that this host has confirmed. No program is started, and no
/// repository is asked: a shell waits for it.
extension CompletionKind {
    static let jobs = CompletionKind.custom { _, _, _ in (try? JobFile.jobs()) ?? [] }

    static let dumps = ofJob { $0.dumps.map(\.name) }

    static let repositories = ofJob { $0.repositories.map(\.name) }

    static let receivers = ofJob { $0.receivers.map(\.name) }

    static let archives = CompletionKind.custom { words, _, _ in
        guard let job = job(of: words), let area = try? await StagingArea.openExisting(job.staging) else { return [] }
        var names: [String] = []
        for repository in job.repositories {
            guard let ledger = try? await RepositoryLedger(of: repository.name, in: area) else { continue }
            names += ledger.confirmed.map(\.archive)
        }
        return ["latest"] + names
    }

    private static func ofJob(_ names: @escaping @Sendable (Job) -> [String]) -> CompletionKind {
        .custom { words, _, _ in job(of: words).map(names) ?? [] }
    }

    /// The job that the words so far are about, or the only one; nil while that is open.
    private static func job(of words: [String]) -> Job? {
        let options = JobOptions.named(in: words)
        guard let file = try? options.file() else { return nil }
        return try? JobFile.load(file, kinds: BuiltInProviders.kinds)
    }
}

extension JobOptions {
    /// By `--job`, `--config` or a word that is a job's name.
    fileprivate static func named(in words: [String]) -> JobOptions {
        var options = JobOptions()
        (options.config, options.job) = (value(of: "--config", "-c", in: words), value(of: "--job", "-j", in: words))
        if options.config == nil, options.job == nil {
            let jobs = (try? JobFile.jobs()) ?? []
            options.job = words.dropFirst(2).first(where: jobs.contains)
        }
        return options
    }

    private static func value(of long: String, _ short: String, in words: [String]) -> String? {
        for (place, word) in words.enumerated() {
            if word.hasPrefix("\(long)=") { return String(word.dropFirst(long.count + 1)) }
            if [long, short].contains(word), place + 1 < words.count { return words[place + 1] }
        }
        return nil
    }
}
