import CLibPQ
import DumpCore

/// One row of a query's result. A column that is not there, or not of the asked shape, is an error: never a guess.
struct Row: Sendable {
    private let columns: [String]
    private let values: [String?]

    static func columns(of result: OpaquePointer) -> [String] {
        (0..<PQnfields(result)).map { String(cString: PQfname(result, $0)) }
    }

    static func all(of result: OpaquePointer, _ columns: [String]) -> [Row] {
        (0..<PQntuples(result)).map { row in
            let values = (0..<Int32(columns.count)).map { column in
                PQgetisnull(result, row, column) == 1
                    ? nil
                    : String(
                        showing: UnsafeRawBufferPointer(
                            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column))))
            }
            return Row(columns: columns, values: values)
        }
    }

    /// Roughly what it takes of memory.
    var bytes: Int { values.reduce(64) { $0 + 32 + ($1?.utf8.count ?? 0) } }

    /// For a statement whose columns are not known.
    var allValues: [String?] { values }

    func text(_ column: String) throws(DumpError) -> String {
        guard let value = try optionalText(column) else { throw unexpected(column) }
        return value
    }

    func optionalText(_ column: String) throws(DumpError) -> String? {
        guard let place = columns.firstIndex(of: column) else { throw unexpected(column) }
        return values[place]
    }

    func integer(_ column: String) throws(DumpError) -> Int64 {
        guard let value = try optionalInteger(column) else { throw unexpected(column) }
        return value
    }

    func optionalInteger(_ column: String) throws(DumpError) -> Int64? {
        guard let text = try optionalText(column) else { return nil }
        guard let value = Int64(text) else { throw unexpected(column) }
        return value
    }

    func flag(_ column: String) throws(DumpError) -> Bool {
        switch try text(column) {
        case "t": return true
        case "f": return false
        default: throw unexpected(column)
        }
    }

    /// Bytes that the query shows as hex digits.
    func bytes(_ column: String) throws(DumpError) -> [UInt8] {
        guard let bytes = DumpCore.bytes(ofHex: try text(column).utf8) else { throw unexpected(column) }
        return bytes
    }

    private func unexpected(_ column: String) -> DumpError {
        DumpError(.sourceUnavailable, "the server's answer has no usable '\(column)'")
    }
}
