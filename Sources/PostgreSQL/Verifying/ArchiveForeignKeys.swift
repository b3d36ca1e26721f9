import DumpCore
import SystemPackage

/// Has a table of contents make foreign keys without checking the rows, without changing the length of anything in it.
enum ArchiveForeignKeys {
    /// Makes the keys with these OIDs `NOT VALID`. Returns those that could be: others keep their statement.
    static func mark(_ keys: [UInt32], in contents: FilePath) throws(DumpError) -> Set<UInt32> {
        guard !keys.isEmpty else { return [] }
        do {
            let places = try ArchiveContents.read(contents).foreignKeys
            let file = try FileDescriptor.open(contents, .readWrite, options: [.noFollow, .closeOnExec])
            return try file.closeAfter {
                Set(try keys.filter { key in try places[key].map { try mark($0, in: file) } ?? false })
            }
        } catch {
            throw DumpError(.system, "cannot mark foreign keys in \(contents): \(error)", underlying: error)
        }
    }

    private static func mark(_ place: Range<Int>, in file: FileDescriptor) throws -> Bool {
        let bytes = try [UInt8](unsafeUninitializedCapacity: place.count) { buffer, count in
            count = try file.read(
                fromAbsoluteOffset: Int64(place.lowerBound), into: UnsafeMutableRawBufferPointer(buffer))
        }
        guard let marked = marked(bytes) else { return false }
        _ = try file.writeAll(toAbsoluteOffset: Int64(place.lowerBound), marked)
        return true
    }

    /// The same statement with `NOT VALID`, as long as it was. White space makes room, and so does ONLY, which changes nothing for a table
    /// without partitions. Nil if pg_dump wrote it in a way that we do not know, such as for a table with partitions.
    static func marked(_ statement: [UInt8]) -> [UInt8]? {
        let (table, key, end) = ("ALTER TABLE ONLY ", "\n    ADD CONSTRAINT ", ";\n")
        guard statement.starts(with: table.utf8), statement.suffix(end.utf8.count).elementsEqual(end.utf8),
            let place = statement.firstRange(of: key.utf8),
            !statement[place.upperBound...].contains(key.utf8)
        else { return nil }
        let name = statement[table.utf8.count..<place.lowerBound]
        let definition = statement[place.upperBound...].dropLast(end.utf8.count)
        let marked = "ALTER TABLE ".utf8 + name + " ADD CONSTRAINT ".utf8 + definition + " NOT VALID;".utf8
        return marked.count == statement.count ? Array(marked) : nil
    }
}
