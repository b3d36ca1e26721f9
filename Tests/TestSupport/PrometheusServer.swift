import SystemPackage
import Testing

/// Debian's Prometheus, scraping one node exporter each second.
public struct PrometheusServer: Sendable {
    private let service: LoopbackService
    /// When the first scrape that succeeded was made. On a busy machine a later one may fail, after which all series are gone for a while.
    private let scrapedAt: String

    public static func with<Result>(
        scraping exporter: NodeExporter, in scratch: FilePath, _ body: (PrometheusServer) async throws -> Result
    ) async throws -> Result {
        let settings = scratch.appending("prometheus.yml")
        try write(
            """
            global: {scrape_interval: 1s}
            scrape_configs:
              - job_name: node
                static_configs: [{targets: ["\(exporter.service.address)"]}]

            """, to: settings)
        return try await LoopbackService.with("prometheus", port: 9090, readyAt: "/-/ready") { address in
            [
                "--config.file=\(settings)", "--storage.tsdb.path=\(scratch)/prometheus",
                "--web.listen-address=\(address)",
            ]
        } _: { service in
            var scrapedAt: String?
            try await eventually {
                let found = try await series(of: "timestamp(up) and up == 1", service)
                scrapedAt = found.first?["value"]?.elements.last?.text
                return scrapedAt != nil
            }
            return try await body(PrometheusServer(service: service, scrapedAt: scrapedAt ?? ""))
        }
    }

    /// The series that a query had at that scrape; throws for one that is wrong.
    public func query(_ query: String) async throws -> [JSONTree] {
        try await Self.series(of: query, service, "time=\(scrapedAt)")
    }

    private static func series(
        of query: String, _ service: LoopbackService, _ parameters: String...
    ) async throws -> [JSONTree] {
        let answer = try JSONTree(await service.get("/api/v1/query", ["query=\(query)"] + parameters))
        guard answer["status"] == .text("success"), let data = answer["data"] else {
            throw HostError(description: "\(query): \(answer)")
        }
        // A scalar is a point in time with a value.
        return data["result"]?.elements ?? []
    }
}
