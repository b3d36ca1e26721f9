/// Prometheus' text format, version 0.0.4, as the node exporter reads it from files.
///
/// The exporter refuses a whole file for a type that only OpenMetrics has, a timestamp, a repeated series, or no newline at the end.
struct PrometheusText {
    private(set) var text = ""

    /// - Parameter jobs: in the order in which they are printed. Their names differ.
    init(_ jobs: [JobMetrics]) {
        for metric in Metric.allCases {
            let lines = jobs.flatMap { job in
                (job.samples[metric] ?? []).map { Self.line(metric, job: job.job, $0) }
            }
            guard !lines.isEmpty else { continue }
            text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) gauge\n" + lines.joined()
        }
    }

    private static func line(_ metric: Metric, job: String, _ sample: JobMetrics.Sample) -> String {
        let labels = zip([Metric.jobLabel] + metric.labels, [job] + sample.labels).map { name, value in
            "\(name)=\"\(escaped(value))\""
        }
        return "\(metric.name){\(labels.joined(separator: ","))} \(number(sample.value))\n"
    }

    /// Within quotes, where a backslash, a quote and the end of a line have a meaning. All else may stand there as it is.
    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Whole numbers without a fraction, all others with as many digits as tell them apart.
    static func number(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }
}
