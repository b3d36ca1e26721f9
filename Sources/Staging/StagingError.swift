import Checksums
import DumpCore
import Linux
import SystemPackage

/// Why the staging area could not be used, or a set not be sealed, published or trusted.
public typealias StagingError = CodedError<StagingErrorCode>

public enum StagingErrorCode: String, ErrorCode {
    /// Another process holds the lock.
    case locked
    /// The lock that the call needs has been released.
    case lockNotHeld = "lock_not_held"
    /// The directory is not a staging area and must not become one.
    case unsuitableDirectory = "unsuitable_directory"
    /// What a dead run left behind has not been removed yet.
    case leftovers
    /// A dump has not what a set needs: a directory, a file, a name of its own.
    case incompleteSet = "incomplete_set"
    /// Something in a set is neither a regular file nor a directory, or does not belong there.
    case unexpectedFile = "unexpected_file"
    /// A file changed after it was complete.
    case changed
    /// The directory holds no complete set.
    case notASet = "not_a_set"
    /// The set is not what its manifest says.
    case damagedSet = "damaged_set"
    /// The set was written by a newer Muster.
    case newerFormat = "newer_format"
    /// What was noted of a repository, or of the job, cannot be read back.
    case damagedRecord = "damaged_record"
    /// The staging area is that of another job.
    case anotherJob = "another_job"
    /// The file system is full, or would be.
    case noSpace = "no_space"
    /// Our task was cancelled.
    case cancelled
    /// The operating system refused something.
    case system
}

extension StagingError {
    init(_ error: ChecksumError) {
        let code: Code =
            switch error.code {
            case .changed: .changed
            case .notAFile: .unexpectedFile
            case .malformedList: .damagedSet
            case .cannotRead, .libraryFailed: .system
            }
        self.init(code, error)
    }

    static func noSpace(to act: String, at path: FilePath, needed: Int64) -> StagingError {
        // An unknown size counts as none: this is an error already.
        let free = (try? freeBytes(near: path)) ?? 0
        return StagingError(
            .noSpace, "no space to \(act): \(formatBytes(needed)) needed, \(formatBytes(free)) free",
            hint: "Free space on this file system, or move the staging area to a larger one.",
            context: ["needed_bytes": "\(needed)", "free_bytes": "\(free)"])
    }

    /// Free bytes on the file system of `path`, which need not exist itself.
    private static func freeBytes(near path: FilePath) throws(Errno) -> Int64 {
        do {
            return try FileSystem.availableBytes(at: path)
        } catch Errno.noSuchFileOrDirectory {
            return try FileSystem.availableBytes(at: path.removingLastComponent())
        }
    }
}

/// Does `body` and says of its failure what could not be done to what: `act` reads on after "cannot", such as `create`.
///
/// - Parameter needed: the bytes that the act writes, for the message about a full file system. Whatever is written takes a block.
func attempting<Result>(
    to act: String, _ path: FilePath, needed: Int64 = 0, _ body: () throws -> Result
) throws(StagingError) -> Result {
    do {
        return try body()
    } catch let error as StagingError {
        throw error
    } catch let error as ChecksumError {
        throw StagingError(error)
    } catch let error as Errno where error == .noSpace || error == .diskQuotaExceeded {
        throw .noSpace(to: "\(act) \(path)", at: path, needed: max(needed, 4096))
    } catch {
        throw StagingError(.system, "cannot \(act) \(path): \(error)", underlying: error)
    }
}
