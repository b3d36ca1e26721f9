import SystemPackage

/// Names of the files of a dump in directory format, of which there is one for each large object.
///
/// Large objects are known by their OIDs, which a server gives one after the other: 64 of them then take as little as one.
struct ArchiveFiles {
    private var objects: [UInt32: UInt64] = [:]
    private var others: Set<FilePath.Component> = []

    /// False if it was there already.
    mutating func insert(_ name: FilePath.Component) -> Bool {
        guard let oid = Self.oid(name) else { return others.insert(name).inserted }
        let (word, bit) = Self.place(of: oid)
        let known = objects[word, default: 0]
        objects[word] = known | bit
        return known & bit == 0
    }

    func contains(_ name: FilePath.Component) -> Bool {
        guard let oid = Self.oid(name) else { return others.contains(name) }
        let (word, bit) = Self.place(of: oid)
        return objects[word, default: 0] & bit != 0
    }

    private static func place(of oid: UInt32) -> (word: UInt32, bit: UInt64) { (oid / 64, 1 << UInt64(oid % 64)) }

    /// The OID in `blob_16385.dat`, as pg_dump names them (`_StartLO` in `pg_backup_directory.c`), in its only spelling.
    private static func oid(_ name: FilePath.Component) -> UInt32? {
        let text = name.string
        guard text.hasPrefix("blob_"), text.hasSuffix(".dat"), let oid = UInt32(text.dropFirst(5).dropLast(4)),
            text == "blob_\(oid).dat"
        else { return nil }
        return oid
    }
}
