import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Metrics of a job")
struct MetricsTests {
    @Test("are written at the start of a run and at its end, also of one that fails, and say when one was killed")
    func runs() async throws {
        try await TestHost.withFiles { host in
            try host.exportMetrics()
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": "dumped"])
            try #require(await run.stopped())
            #expect(try host.metric("muster_job_running") == 1)
            #expect(try host.metric("muster_job_last_run_success") == nil)
            run.send(SIGKILL)
            _ = try await run.result()
            // Nothing wrote that it ended; what is on record tells all the same.
            #expect(try host.metric("muster_job_running") == 1)
            let told = try ExposedSeries.all(in: try await host.mustSucceed("status", "--metrics"))
            #expect(told.value("muster_job_running") == 0)
            #expect(told.value("muster_job_last_run_outcome", ["outcome": "no_result"]) == 1)
            #expect(told.value("muster_dump_last_attempt_success", ["dump": "app"]) == 0)
            #expect(told.value("muster_job_last_success_timestamp_seconds") == nil)

            try await host.mustSucceed("dump", "--quiet")
            #expect(try host.metric("muster_job_last_run_success") == 1)
            #expect(try host.metric("muster_job_running") == 0)
            try host.fake("borg", "exit 2")
            #expect(try await host.muster("run").status == .exited(4))
            #expect(try host.metric("muster_job_last_run_exit_status") == 4)
            #expect(try host.metric("muster_repository_last_attempt_success", ["repository": "local"]) == 0)
            #expect(unlink(host.bin.appending("borg").string) == 0)
            for command in ["archive", "drill", "check-repository"] { try await host.mustSucceed(command, "--quiet") }
            #expect(try host.metric("muster_repository_last_attempt_success", ["repository": "local"]) == 1)
            #expect(try host.metric("muster_drill_last_success") == 1)
            #expect(
                try host.metric("muster_repository_last_check_timestamp_seconds", ["repository": "local"]) != nil)
            #expect(try FileSystem.names(in: host.exported).map(\.string) == ["muster-nightly.prom"])
        }
    }

    @Test("that this user may not write are a warning on record, and the backup succeeds")
    func denied() async throws {
        try await TestHost.withFiles { host in
            try host.exportMetrics()
            // Debian's directory is root's, and a dump may run as another user: here a root without the right to go past modes.
            try await output("chown", "nobody", host.exported.string)
            let weak = ["/usr/bin/setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
            let result = try await host.start(["run"], under: weak).result()
            #expect(result.status == .exited(0), "\(result.errors)")
            let words = "the metrics of job 'nightly' cannot be written to \(host.exported): Permission denied"
            #expect(result.errors.split(separator: words).count == 2, "said once: \(result.errors)")
            #expect(result.errors.contains("setfacl -m u:root:rwx \(host.exported)"), "\(result.errors)")
            let status = try await host.mustSucceed("status", "--json")
            #expect(
                try await host.value("[(f['code'], f['severity']) for f in d['runs'][0]['findings']]", of: status)
                    == "[('metrics_not_written', 'warning')]")
            #expect(try await host.value("d['verdict']", of: status) == "warning")
            #expect(try FileSystem.names(in: host.exported).isEmpty)
            try await host.mustSucceed("run")
            #expect(try await host.value("d['verdict']", of: try await host.mustSucceed("status", "--json")) == "ok")
        }
    }

    @Test("reach Prometheus through the node exporter, equal the run report, and fill every panel of the dashboard")
    func prometheus() async throws {
        try await TestHost.with { host in
            try host.exportMetrics()
            try host.addDirectory()
            try await host.sql(#"CREATE DATABASE U&"ta\0009b""q\005C""#, in: "postgres")
            for command in ["run", "drill"] { try await host.mustSucceed(command, "--quiet") }
            let status = try await host.mustSucceed("status", "--json")
            let printed = try await host.mustSucceed("status", "--metrics")
            let scratch = host.scratch
            let file = try read(host.exported.appending("muster-nightly.prom"))
            #expect(try await output("bash", "-c", "promtool check metrics < \(host.exported)/*.prom 2>&1") == "")
            try requireTable(explaining: file)
            try await NodeExporter.with(reading: host.exported) { exporter in
                let exposed = try await exporter.scrape()
                #expect(exposed.value("node_textfile_scrape_error") == 0)
                try await host.compare(exposed, with: status)
                let printed = try ExposedSeries.all(in: printed)
                for series in [printed, exposed] {
                    #expect(series.value("muster_database_tables", ["database": "ta\tb\"q\\"]) == 0)
                }
                try await PrometheusServer.with(scraping: exporter, in: scratch) { server in
                    for query in try Dashboard.queries() {
                        #expect(try await !server.query(query).isEmpty, "\(query)")
                    }
                }
            }
        }
    }

    private func requireTable(explaining text: String) throws {
        let page = try read(Repository.root.appending("docs/monitoring.md"))
        for name in Set(try ExposedSeries.all(in: text).map(\.name)) {
            #expect(page.contains("| `\(name)` |"), "\(name)")
        }
    }
}

/// What the dashboard asks of Prometheus.
private enum Dashboard {
    static func queries() throws -> [String] {
        let dashboard = try JSONTree(read(Repository.root.appending("config/grafana/muster.json")))
        let panels = (dashboard["panels"]?.elements ?? []).flatMap { $0["targets"]?.elements ?? [] }
        let queries = panels.compactMap { $0["expr"]?.words }
        #expect(queries.count > 30)
        let variables = (dashboard["templating"]?["list"]?.elements ?? []).compactMap { $0["definition"]?.words }
        #expect(variables.count == 2)
        // What Grafana asks for the values of a label is which series have it.
        let series = variables.map { String($0.dropFirst("label_values(".count).prefix { $0 != "," }) }
        return (queries + series).map {
            $0.replacing("$instance", with: ".*").replacing("$backup_job", with: ".*")
        }
    }
}

extension JSONTree {
    fileprivate var words: String? { if case .text(let text) = self { text } else { nil } }
}

extension [ExposedSeries] {
    /// Of the only series with that name and, among others, these labels. Nil if there is none, or more than one.
    fileprivate func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = filter { series in series.name == name && labels.allSatisfy { series.labels[$0.key] == $0.value } }
        return found.count == 1 ? found[0].value : nil
    }
}

extension TestHost {
    fileprivate var exported: FilePath { scratch.appending("exported") }

    fileprivate mutating func exportMetrics() throws {
        try FileSystem.createDirectory(exported, mode: 0o755)
        job.lines += ["metrics: {directory: \(exported)}", "alert_after: 26h"]
    }

    /// A dump of a directory, of which something is left out.
    fileprivate mutating func addDirectory() throws {
        let tree = scratch.appending("tree")
        try FileSystem.createDirectory(tree)
        try write("a", to: tree.appending("file"))
        try write("excluded", to: tree.appending("x.tmp"))
        job.dumpLines += ["  files:", "    provider: directory", "    path: \(tree)", "    exclude: [\"*.tmp\"]"]
    }

    fileprivate func metric(_ name: String, _ labels: [String: String] = [:]) throws -> Double? {
        try ExposedSeries.all(in: read(exported.appending("muster-nightly.prom"))).value(name, labels)
    }

    /// Numbers of the newest run, as its report has them.
    fileprivate func compare(_ exposed: [ExposedSeries], with status: String) async throws {
        let document = try JSONTree(status)
        let run = try #require(document["runs"]?.elements.first)
        func number(_ tree: JSONTree?, _ key: String) -> Double? {
            if case .number(let value)? = tree?[key] { value } else { nil }
        }
        for stage in ["prepare", "dump", "seal", "archive"] {
            let value = try #require(number(run["stages"], "\(stage)_seconds"))
            #expect(exposed.value("muster_job_last_run_stage_duration_seconds", ["stage": stage]) == value)
        }
        for dump in run["dumps"]?.elements ?? [] {
            let name = ["dump": try #require(dump["name"]?.words)]
            #expect(exposed.value("muster_dump_bytes", name) == number(dump, "bytes"))
            #expect(exposed.value("muster_dump_files", name) == number(dump, "files"))
            #expect(exposed.value("muster_dump_duration_seconds", name) == number(dump, "duration_seconds"))
        }
        let archive = run["archives"]?.elements.first
        #expect(exposed.value("muster_repository_stored_bytes") == number(archive, "stored_bytes"))
        #expect(
            exposed.value("muster_repository_confirmation_duration_seconds") == number(archive, "confirmation_seconds"))
        #expect(exposed.value("muster_set_bytes") == number(run["set"], "bytes"))
        let shop = FileTree(staging.appending("current/app/databases/shop")).bytes()
        #expect(shop > 0 && exposed.value("muster_database_bytes", ["database": "shop"]) == Double(shop))
        #expect(exposed.value("muster_database_rows", ["database": "shop"]) == 1000)
        #expect(exposed.value("muster_database_tables", ["database": "shop"]) == 2)
        #expect(exposed.value("muster_dump_rows", ["dump": "app"]) == 1300)
        #expect(exposed.value("muster_repository_archives", ["repository": "local"]) == 1)
        // A warning where this machine's psql is not safe, and nowhere else.
        let verdict = status.contains("psql_unsafe") ? "warning" : "ok"
        #expect(document["verdict"]?.words == verdict)
        #expect(exposed.value("muster_job_verdict", ["verdict": verdict]) == 1)
        #expect(exposed.value("muster_job_alert_after_seconds") == 93_600)
    }
}
