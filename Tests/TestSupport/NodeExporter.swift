import SystemPackage

/// Debian's node exporter, reading text files of a directory and nothing else.
public struct NodeExporter: Sendable {
    public let service: LoopbackService

    public static func with<Result>(
        reading directory: FilePath, _ body: (NodeExporter) async throws -> Result
    ) async throws -> Result {
        try await LoopbackService.with("prometheus-node-exporter", port: 9100, readyAt: "/metrics") { address in
            [
                "--web.listen-address=\(address)", "--collector.disable-defaults", "--collector.textfile",
                "--collector.textfile.directory=\(directory)",
            ]
        } _: {
            try await body(NodeExporter(service: $0))
        }
    }

    /// All that it exposes now.
    public func scrape() async throws -> [ExposedSeries] { try ExposedSeries.all(in: await service.get("/metrics")) }
}

/// One series of an exposition, with its value.
public struct ExposedSeries: Sendable, Hashable {
    public var name: String
    public var labels: [String: String]
    public var value: Double

    public init(_ name: String, _ labels: [String: String], _ value: Double) {
        (self.name, self.labels, self.value) = (name, labels, value)
    }

    /// Reads Prometheus' text format. Knows nothing of the code under test.
    public static func all(in text: String) throws -> [ExposedSeries] {
        // As bytes: to a String, CR and LF are one character.
        try text.utf8.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }.map {
            try ExposedSeries(line: Array($0))
        }
    }

    private init(line: [UInt8]) throws {
        var rest = line[...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: " ") } ?? rest.endIndex
        name = String(decoding: rest[..<end], as: UTF8.self)
        labels = [:]
        rest = rest[end...]
        if rest.first == UInt8(ascii: "{") {
            rest.removeFirst()
            while rest.first != UInt8(ascii: "}") {
                guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
                    throw HostError(description: String(decoding: line, as: UTF8.self))
                }
                let label = String(decoding: rest[..<equals], as: UTF8.self)
                rest = rest[equals...].dropFirst(2)
                labels[label] = Self.quoted(&rest)
                if rest.first == UInt8(ascii: ",") { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        let number = String(decoding: rest.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
        guard let value = Double(number) else { throw HostError(description: String(decoding: line, as: UTF8.self)) }
        self.value = value
    }

    /// What stands before the closing quote, which goes too.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            bytes.append(next == UInt8(ascii: "n") ? UInt8(ascii: "\n") : next)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
