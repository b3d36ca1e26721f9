import DumpCore
import Linux
import Processes
import Settings

/// A dump that a plugin makes, as its job has it: what every process of the plugin is given.
struct PluginSource: Sendable {
    let plugin: Plugin
    let settings: PluginSettings
    let job: String
    let runner: ProgramRunner
    private let secrets: [(name: String, secret: Secret)]

    /// Fetches the secrets, once for all processes.
    init(_ plugin: Plugin, _ settings: PluginSettings, by means: ProviderMeans, dump: String) async throws(DumpError) {
        (self.plugin, self.settings, job, runner) = (plugin, settings, means.job, means.runner)
        let holder = settings.runAs.flatMap { UserAccount(named: $0) }
        var secrets: [(name: String, secret: Secret)] = []
        for (name, source) in settings.secrets.sorted(by: { $0.key < $1.key }) {
            do throws(ProcessError) {
                let secret = try await source.resolve(
                    for: "'\(name)' of dump '\(dump)'", holder: holder, runner: means.runner)
                secrets.append((name, secret))
            } catch {
                throw DumpError(error)
            }
        }
        self.secrets = secrets
    }

    var secretTexts: [String] {
        secrets.map { secret in secret.secret.withBytes { String(decoding: $0, as: UTF8.self) } }
    }

    /// The user to run as, if not ours.
    func user() throws(DumpError) -> UserAccount? {
        guard let name = settings.runAs else { return nil }
        guard let account = UserAccount(named: name) else {
            throw DumpError(
                .settings, "there is no user '\(name)', whom run_as names", hint: "Create the user, or name another.")
        }
        return account.uid == UserAccount.currentID ? nil : account
    }

    func call(_ verb: PluginDescription.Verb, in run: RunContext, jobs: Int = 1) throws(DumpError) -> PluginCall {
        var call = PluginCall(plugin: plugin, verb: verb)
        call.settings = .mapping(
            settings.values.sorted { $0.key < $1.key }.filter { $0.value != .null }.map { .init($0.key, $0.value) })
        call.secrets = secrets
        call.user = try user()?.name
        call.names = [
            "MUSTER_JOB": job, "MUSTER_DUMP": run.dump, "MUSTER_RUN": run.runID.description, "MUSTER_JOBS": "\(jobs)",
        ]
        if let deadline = run.deadline { call.names["MUSTER_DEADLINE"] = "\(max(1, deadline.components.seconds))" }
        return call
    }
}
