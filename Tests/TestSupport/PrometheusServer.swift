import SystemPackage
import Testing

/// Debian's Prometheus, scraping one node exporter each second.
public struct PrometheusServer: Sendable {
    private let service: LoopbackService

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
            let server = PrometheusServer(service: service)
            try await eventually { try await !server.query("up == 1").isEmpty }
            return try await body(server)
        }
    }

    /// The series that a query has now; throws for one that is wrong.
    public func query(_ query: String) async throws -> [JSONTree] {
        let answer = try JSONTree(await service.get("/api/v1/query", "query=\(query)"))
        guard answer["status"] == .text("success"), let data = answer["data"] else {
            throw HostError(description: "\(query): \(answer)")
        }
        // A scalar is a point in time with a value.
        return data["result"]?.elements ?? []
    }
}
