import DumpCore
import Linux
import SystemPackage

/// Why rows could not be matched, stored, or put together.
public typealias RowDeltaError = CodedError<RowDeltaFailure>

/// Providers and the staging area turn each into an error of their own: no operator sees these words.
public enum RowDeltaFailure: String, ErrorCode {
    /// What is stored is not rows, or not the lines that follow from them.
    case malformedRows = "malformed_rows"
    /// All of it can be read, and to store it whole is better.
    case notWorthIt = "not_worth_it"
    /// A row has more bytes than rows are held in memory.
    case longRow = "long_row"
    /// Too many rows are in another order to be matched in the memory that there is.
    case scatteredRows = "scattered_rows"
    /// A file is missing, or the operating system refused to read it.
    case cannotRead = "cannot_read"
    /// The operating system refused to write, or to link.
    case system
    /// The work was stopped.
    case cancelled
}

extension RowDeltaFailure: StoppableCode {
    public static var cancellation: String { "the work on rows was cancelled" }
}

extension RowDeltaError {
    static func malformed(_ path: FilePath, _ why: String) -> RowDeltaError {
        RowDeltaError(.malformedRows, "\(path) \(why)")
    }

    /// What keeps a table from being stored as what has changed, although all of it can be read.
    static func notWorthIt(_ why: String) -> RowDeltaError { RowDeltaError(.notWorthIt, why) }
}

/// Does something with a file, and says what it was if it fails.
///
/// - Parameter doing: such as `read`.
func attempting<Value>(
    _ code: RowDeltaFailure, to doing: String, _ path: FilePath, _ body: () throws -> Value
) throws(RowDeltaError) -> Value {
    do {
        return try body()
    } catch let error as RowDeltaError {
        throw error
    } catch {
        throw RowDeltaError(code, "cannot \(doing) \(path): \(error)", underlying: error)
    }
}
