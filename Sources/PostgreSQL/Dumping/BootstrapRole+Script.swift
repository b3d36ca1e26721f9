import DumpCore
import Glibc
import SystemPackage

extension BootstrapRole {
    /// Turns the statements of a script that create or drop the role into comments, in place and without changing its length.
    ///
    /// - Returns: whether a statement that creates it was found.
    func commentOut(in script: FileDescriptor) throws(Errno) -> Bool {
        var lines = ScriptLines(of: script)
        var foundCreation = false
        while let line = try lines.next() {
            guard line.isOutsideQuotes else { continue }
            guard !line.bytes.starts(with: Self.endOfRoles) else { break }
            guard isAboutIt(line.bytes) else { continue }
            try script.replace(with: "--", at: line.offset)
            foundCreation = foundCreation || line.bytes == creationLine
        }
        return foundCreation
    }

    /// pg_dumpall writes all roles before it connects to the first database.
    private static let endOfRoles = Array("\\connect ".utf8)

    private var creationLine: [UInt8] { line("CREATE ROLE ") }

    private func isAboutIt(_ line: [UInt8]) -> Bool {
        line == creationLine || line == self.line("DROP ROLE IF EXISTS ")
    }

    private func line(_ statement: String) -> [UInt8] { Array(statement.utf8) + spelled + [UInt8(ascii: ";")] }

    var findingOfCreation: Finding {
        Finding(
            .warning, "bootstrap_role_created", object: identifier,
            "the script still creates role \(identifier), which every server has",
            hint: "When you restore it with psql, ignore that one error and no other: leave ON_ERROR_STOP out.")
    }
}

extension FileDescriptor {
    fileprivate func replace(with text: String, at offset: Int64) throws(Errno) {
        do {
            _ = try writeAll(toAbsoluteOffset: offset, text.utf8)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
