import Checksums
import DumpCore
import SystemPackage

/// What the directory of a table's rows is called.
enum RowDirectory {
    private static let longest = 200
    private static let kept = 120

    /// Such as `public.orders`: one for each table, on file systems too that know no difference of case.
    ///
    /// Lower-case letters, digits and `_` stay; every other byte becomes `%` and two hex digits. Of a name that is too long for a file only
    /// the start is left, with a digest of the whole.
    static func name(of table: TableName) -> FilePath.Component? {
        let name = escaped(table.schema) + "." + escaped(table.name)
        guard name.utf8.count > longest else { return FilePath.Component(name) }
        guard let digest = try? sha256(of: Array(name.utf8)) else { return nil }
        return FilePath.Component("\(name.prefix(kept))~\(digest.prefix(32))")
    }

    private static func escaped(_ name: [UInt8]) -> String {
        var escaped = ""
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += "%" + byte.digits(2, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}
