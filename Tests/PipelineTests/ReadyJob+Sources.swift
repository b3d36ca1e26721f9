import DumpCore
import Jobs
import SystemPackage

extension ReadyJob {
    /// A job of these sources, whatever they would be called in a job file. It has no repository.
    init(
        name: String, host: String, staging: FilePath, parallel: Int, anomalies: AnomalyRule = AnomalyRule(),
        sources: [Source], quiescence: (any Quiescence)? = nil
    ) {
        let job = Job(
            name: name, file: "/etc/muster/nightly.yaml", staging: staging, host: host, parallel: parallel,
            anomalies: anomalies, dumps: [])
        self.init(job, providers: [], quiescence: quiescence) { repository in
            fatalError("the job has no repository \(repository.name)")
        }
        self.sources = sources
    }
}
