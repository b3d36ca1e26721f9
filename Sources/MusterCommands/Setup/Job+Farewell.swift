import Jobs

extension Job {
    /// What an operator has to know once the job is set up.
    var farewell: String {
        let secrets = repositories.flatMap { repository in
            [repository.settings.passphrase?.path, repository.settings.keyExport].compactMap { $0 }
        }
        let files = secrets.map { "  \($0)" }
        let advice =
            files.isEmpty ? [] : ["Store copies of these on another host. Without them no archive can be read:"] + files
        return (["The first run: muster run \(name)"] + advice).joined(separator: "\n")
    }
}
