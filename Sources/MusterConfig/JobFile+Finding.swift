import Glibc
import Linux
import Settings
import SystemPackage

extension JobFile {
    private static let extensions = ["yaml", "yml", "json"]

    /// Where jobs are looked for by name: `MUSTER_CONFIG_DIRECTORY`, or else `/etc/muster`.
    ///
    /// - Parameter variable: looks up an environment variable.
    public static func directory(
        variable: (String) -> String? = { getenv($0).map { String(cString: $0) } }
    ) -> FilePath {
        guard let directory = variable("MUSTER_CONFIG_DIRECTORY"), !directory.isEmpty else { return "/etc/muster" }
        return FilePath(directory)
    }

    /// The file of the job that is called `job`. Throws an error that names the jobs there are.
    public static func find(
        job: String, in directory: FilePath = directory()
    ) throws(ConfigurationError) -> FilePath {
        if let fault = NameRule.entries.fault(in: job) {
            throw ConfigurationError(
                .notFound, "no such job: \(fault.message)", hint: "To name a file, use --config FILE.")
        }
        let files = try names(in: directory).filter { $0.stem == job }
        guard let file = files.first else { throw try missing(job, in: directory) }
        guard files.count == 1 else {
            throw ConfigurationError(
                .invalid, "job '\(job)' has \(files.count) files: \(files.map(\.string).joined(separator: ", "))",
                hint: "Keep one of them in \(directory).")
        }
        return directory.appending(file)
    }

    /// Throws if no job can be called so.
    public static func requireName(_ job: String) throws(ConfigurationError) {
        if let fault = NameRule.entries.fault(in: job) {
            throw ConfigurationError(.invalid, "'\(job)' cannot be the name of a job: \(fault.message)")
        }
    }

    /// Whether a job of that name is there, be its file right or wrong.
    public static func exists(_ job: String, in directory: FilePath = directory()) -> Bool {
        (try? names(in: directory).contains { $0.stem == job }) ?? false
    }

    /// The names of all jobs that `find` would find, sorted.
    public static func jobs(in directory: FilePath = directory()) throws(ConfigurationError) -> [String] {
        Set(try names(in: directory).map(\.stem)).filter { NameRule.entries.fault(in: $0) == nil }.sorted()
    }

    private static func names(in directory: FilePath) throws(ConfigurationError) -> [FilePath.Component] {
        do {
            return try FileSystem.names(in: directory).filter { name in name.extension.map(extensions.contains) ?? false
            }
        } catch {
            throw ConfigurationError(
                .notFound, "cannot look for jobs in \(directory): \(error.description)",
                hint: "Jobs are \(directory)/NAME.yaml; to name another file, use --config FILE.")
        }
    }

    private static func missing(
        _ job: String, in directory: FilePath
    ) throws(ConfigurationError) -> ConfigurationError {
        let jobs = try jobs(in: directory)
        var hint = "There are \(jobs.joined(separator: ", "))."
        if jobs.isEmpty { hint = "There is no job yet; write \(directory)/\(job).yaml." }
        if jobs.count == 1 { hint = "There is only \(jobs[0])." }
        if let near = nearestWord(to: job, among: jobs) { hint = "Did you mean '\(near)'? \(hint)" }
        return ConfigurationError(.notFound, "no job '\(job)' in \(directory)", hint: hint)
    }
}
