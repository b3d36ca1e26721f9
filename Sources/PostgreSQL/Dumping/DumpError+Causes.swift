import Checksums
import DumpCore
import Linux
import SystemPackage

extension DumpError {
    /// A program said that all went well, and what it wrote says otherwise.
    static func incomplete(_ subject: String, _ fault: String, _ file: FilePath) -> DumpError {
        DumpError(
            .incompleteDump, "the dump of \(subject) is not complete: \(fault)",
            hint: "Run it again. If that fails too, check the client programs and the disk of the staging area.",
            context: ["file": file.string])
    }

    /// What keeps a dump's file or directory from being created.
    init(creating path: FilePath, _ error: any Error) {
        let isFull = error as? Errno == .noSpace || error as? Errno == .diskQuotaExceeded
        self.init(
            isFull ? .noSpace : .system, "cannot create \(path): \(error)",
            hint: isFull ? FailureCause.freeSpaceHint : nil, underlying: error)
    }

    /// What keeps us from taking over what a program of another user has written.
    init(takingOver path: FilePath, _ error: any Error) {
        switch error {
        case let error as DumpError: self = error
        case let error as ForeignFile:
            self.init(
                .foreignFile, "\(error)",
                hint: "A process of the user in run_as interferes with the dump. Find it: fuser -v \(error.path)",
                underlying: error)
        case Errno.noSpace, Errno.diskQuotaExceeded:
            self.init(
                .noSpace, "cannot copy what a program wrote to \(path): \(error)", hint: FailureCause.freeSpaceHint,
                underlying: error)
        default:
            self.init(.system, "cannot take over what a program wrote to \(path): \(error)", underlying: error)
        }
    }

    /// What keeps a dump that failed from being removed.
    init(removing path: FilePath, _ error: any Error) {
        self.init(.system, "cannot remove \(path): \(error)", underlying: error)
    }

    /// What keeps a dump's file from being read.
    init(ofReading error: any Error) {
        if let error = error as? DumpError {
            self = error
        } else {
            let described = error as? ChecksumError
            self.init(
                .system, described?.message ?? "cannot read the dump: \(error)", hint: described?.hint,
                underlying: error)
        }
    }
}

extension DumpErrorCode {
    /// Where a program of another user writes, there is something that it cannot have made, or that another process writes to.
    static let foreignFile = Self(rawValue: "foreign_file")
}
