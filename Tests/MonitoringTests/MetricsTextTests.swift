import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Monitoring

@Suite("Metrics in Prometheus' text format")
struct MetricsTextTests {
    @Test("give back every label value that was put into them", arguments: MadeHistory.names)
    func escaping(name: String) throws {
        let line = "m{database=\"\(PrometheusText.escaped(name))\"} 1"
        #expect(try ExposedSeries.all(in: line) == [ExposedSeries("m", ["database": name], 1)])
    }

    @Test("have whole numbers without a fraction, and others that read back as what they were")
    func numbers() {
        #expect(PrometheusText.number(0) == "0")
        #expect(PrometheusText.number(1_795_998_767_345 / 1000) == "1795998767.345")
        #expect(PrometheusText.number(Double(1 << 60)) == "1152921504606846976")
        for value in [0.1, 1e300, -3.25e-7, 1e19] { #expect(Double(PrometheusText.number(value)) == value) }
    }

    @Test("are named and explained as promtool asks for")
    func lint() async throws {
        try await withScratch { scratch in
            var random = Seeded(seed: 7)
            let file = scratch.appending("metrics.prom")
            try write(MadeHistory(job: "nightly", by: &random).metrics.text, to: file)
            #expect(try await output("bash", "-c", "promtool check metrics < \(file) 2>&1") == "")
        }
    }

    @Test("are all in the table of docs/monitoring.md, with their labels and in the words of their help")
    func table() throws {
        let rows = Metric.allCases.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(metric.name)` | \(labels) | \(metric.help) |".replacing("|  |", with: "| |")
        }
        let page = try read(Repository.root.appending("docs/monitoring.md"))
        let table = page.split(separator: "\n").filter { $0.hasPrefix("| `muster_") }.map(String.init)
        #expect(table == rows, "\(rows.joined(separator: "\n"))")
        for metric in Metric.allCases { #expect(!metric.help.isEmpty && metric.help.hasSuffix("."), "\(metric)") }
    }

    @Test(
        "are what the alert rules and the dashboard ask for",
        arguments: ["config/prometheus/muster-alerts.yml", "config/grafana/muster.json"])
    func consumers(path: String) throws {
        let known = Set(Metric.allCases.map(\.name))
        let asked = Set(
            try read(Repository.root.pushing(FilePath(path))).matches(of: /muster_[a-z_]+/).map { String($0.output) })
        #expect(asked.count > 10)
        #expect(asked.subtracting(known).sorted() == [])
    }

    @Test("make the alert rules fire when they should, and not before")
    func rules() async throws {
        let directory = Repository.root.appending("config/prometheus")
        try await output("promtool", "check", "rules", "\(directory)/muster-alerts.yml")
        try await output("promtool", "test", "rules", "\(directory)/muster-alerts.test.yml")
        let rules = try read(directory.appending("muster-alerts.yml")).matches(of: /- alert: (\w+)/)
        let tests = try read(directory.appending("muster-alerts.test.yml"))
        for alert in rules.map({ String($0.output.1) }) {
            let parts = tests.split(separator: "alertname: \(alert)").dropFirst().map { $0.prefix(40) }
            #expect(parts.contains { $0.contains("exp_labels") || $0.contains("- exp") }, "\(alert) fires in no test")
            #expect(parts.contains { $0.contains("[]") }, "\(alert) is silent in no test")
        }
    }
}

@Suite("The file of a job's metrics")
struct MetricsFileTests {
    @Test("is replaced as a whole, may be read by everyone whatever the umask, and leaves nothing beside it")
    func replaced() async throws {
        try await withScratch { scratch in
            var random = Seeded(seed: 1)
            var job = MadeHistory(job: "nightly", by: &random).records.job
            job.metrics = .init()
            job.metrics?.directory = scratch
            let file = try #require(MetricsFile(of: job))
            // What a killed process has left.
            try write("half", to: scratch.appending(".muster-nightly.prom.\(getpid()).tmp"))
            for text in ["a 1\n", "b 2\n"] {
                try file.write(text)
                #expect(try read(file.path) == text)
                #expect(try FileSystem.status(of: file.path).mode == 0o644)
                #expect(try FileSystem.names(in: scratch).map(\.string) == ["muster-nightly.prom"])
            }
        }
    }

    @Test("that cannot be written is a warning with what to do, and never an error")
    func obstacles() async throws {
        try await withScratch { scratch in
            var random = Seeded(seed: 1)
            var job = MadeHistory(job: "nightly", by: &random).records.job
            job.staging = scratch.appending("staging")
            job.metrics = .init()
            job.metrics?.directory = scratch.appending("missing")
            let found = await MetricsFile.update(of: job, state: scratch, tool: MadeHistory.tool)
            #expect(found.map(\.code) == ["metrics_not_written"])
            #expect(
                found.first?.message
                    == "the metrics of job 'nightly' cannot be written to \(scratch)/missing: No such file or directory"
            )
            #expect(found.first?.hint?.hasPrefix("Install the node exporter, or name the directory") == true)
            job.metrics = nil
            #expect(await MetricsFile.update(of: job, state: scratch, tool: MadeHistory.tool).isEmpty)
        }
    }
}

enum Repository {
    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
}
