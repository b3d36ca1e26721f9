import Checksums
import DumpCore
import Linux
import SystemPackage

/// A table put together from the files that it is stored in.
public struct RowAssembly: Sendable {
    /// The SHA-256 of the table's file: its rows and what follows them.
    public var sha256: String
    public var bytes: Int64
    /// The sums of its rows.
    var sums: RowSums

    /// Puts a table together, in memory of a fixed size.
    ///
    /// - Parameters:
    ///   - file: what it is written to, from where that stands; nil to find out only what it is.
    ///   - limit: how many bytes it may have. Throws for more.
    public init(
        of chain: RowChain, to file: FileDescriptor? = nil, called path: FilePath? = nil, atMost limit: Int64 = .max,
        until stop: StopSign
    ) throws(RowDeltaError) {
        try self.init(of: chain, to: file, path ?? chain.directory, proving: nil, atMost: limit, until: stop)
    }

    /// - Parameter proof: of the sums of rows; nil for none.
    init(
        of chain: RowChain, to file: FileDescriptor? = nil, _ path: FilePath = "", proving proof: RowKey?,
        atMost limit: Int64 = .max, until stop: StopSign
    ) throws(RowDeltaError) {
        var stream = try chain.stream(until: stop)
        let output = try Output(file, path, limit)
        sums = RowSums()
        while try stream.fill(RowStream.lookahead) > 0 {
            // Rows that lie side by side go out as one piece.
            let first = stream.row(0)
            let start = stream.bytes(of: first)
            var count = 0
            while stream.queued > 0, case let row = stream.row(0), row.isEdited == first.isEdited,
                row.start == first.start + count
            {
                if let proof { sums.add(proof.hash(stream.bytes(of: row), row.count), row.count) }
                count += row.count
                stream.pass()
            }
            try output.put(UnsafeRawBufferPointer(start: start, count: count))
        }
        guard !stream.tail.bytes.isEmpty else { throw .malformed(chain.directory, "has no end") }
        try output.put(stream.tail.bytes)
        (sha256, bytes) = (try output.finish(), output.bytes)
    }
}

/// What is put together, hashed on its way.
private final class Output {
    private let file: FileDescriptor?
    private let path: FilePath
    private let limit: Int64
    private let hash: SHA256
    private var pieces = CollectedPieces()
    private(set) var bytes: Int64 = 0

    init(_ file: FileDescriptor?, _ path: FilePath, _ limit: Int64) throws(RowDeltaError) {
        (self.file, self.path, self.limit) = (file, path, limit)
        hash = try attempting(.system, to: "hash", path) { try SHA256() }
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(RowDeltaError) {
        self.bytes += Int64(bytes.count)
        guard self.bytes <= limit else { throw .malformed(path, "would have more than \(formatBytes(limit))") }
        try pieces.take(bytes, passing: write)
    }

    func put(_ tail: [UInt8]) throws(RowDeltaError) {
        let outcome = tail.withUnsafeBytes { tail in Result { () throws(RowDeltaError) in try put(tail) } }
        try outcome.get()
    }

    func finish() throws(RowDeltaError) -> String {
        try pieces.flush(passing: write)
        return try attempting(.system, to: "hash", path) { try hash.finish() }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(RowDeltaError) {
        try attempting(.system, to: "write", path) {
            try hash.update(bytes)
            if let file { _ = try file.writeAll(bytes) }
        }
    }
}
