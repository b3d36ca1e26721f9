import DumpCore
import SystemPackage

/// Takes grants out of a table of contents, without changing the length of anything in it.
enum ArchiveGrants {
    /// Turns every line that names one of these roles, in the statements that grant, into a comment.
    static func leaveOut(_ roles: Set<String>, of contents: FilePath) throws(DumpError) {
        guard !roles.isEmpty else { return }
        do {
            let places = try ArchiveContents.read(contents).grants
            let file = try FileDescriptor.open(contents, .readWrite, options: [.noFollow, .closeOnExec])
            try file.closeAfter { for place in places { try leaveOut(roles, at: place, in: file) } }
        } catch {
            throw DumpError(
                .system, "cannot take grants to missing roles out of \(contents): \(error)", underlying: error)
        }
    }

    private static func leaveOut(_ roles: Set<String>, at place: Range<Int>, in file: FileDescriptor) throws {
        let bytes = try [UInt8](unsafeUninitializedCapacity: place.count) { buffer, count in
            count = try file.read(
                fromAbsoluteOffset: Int64(place.lowerBound), into: UnsafeMutableRawBufferPointer(buffer))
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where names(roles, line) {
            _ = try file.writeAll(toAbsoluteOffset: Int64(place.lowerBound + line.startIndex), "--".utf8)
        }
    }

    /// Such as `GRANT SELECT ON TABLE public.t TO "16391" WITH GRANT OPTION;`, or the grantor before it.
    private static func names(_ roles: Set<String>, _ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        guard let role = text.firstMatch(of: /(?:TO|FROM|AUTHORIZATION) "([0-9]+)"(?: WITH GRANT OPTION)?;$/) else {
            return false
        }
        return ["GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ", "SET SESSION AUTHORIZATION "].contains {
            text.hasBytePrefix($0)
        }
            && roles.contains(String(role.1))
    }
}
