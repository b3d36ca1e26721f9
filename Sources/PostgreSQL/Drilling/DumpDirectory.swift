import DumpCore
import Linux
import SystemPackage

/// Single files of a dump in a directory that was verified.
struct DumpDirectory: DumpFiles {
    let directory: FilePath

    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        let file = directory.pushing(path)
        return try await onOwnThread { () throws(DumpError) in
            do {
                let open = try FileDescriptor.open(file, .readOnly, options: [.noFollow, .closeOnExec])
                let bytes = try open.closeAfter { try open.readAll(atMost: Int(clamping: limit.plus(1))) }
                guard Int64(bytes.count) <= limit else {
                    throw DumpError(.incompleteDump, "\(file) has more than \(formatBytes(limit))")
                }
                return bytes
            } catch let error as DumpError {
                throw error
            } catch {
                throw DumpError(.system, "cannot read \(file): \(error)", underlying: error)
            }
        }
    }
}
