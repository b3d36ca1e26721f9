import DumpCore
import SystemPackage

/// The tables of one database in the last dump, with the files that their rows are in.
///
/// pg_dump numbers the files, and any object that comes or goes moves the numbers: a table is known by its name.
struct FormerTables: Sendable {
    private var files: [TableName: String] = [:]

    /// None without a last dump, and of one that cannot be read: then nothing of it is reused.
    ///
    /// - Parameter path: of the database, relative to the dump's directory.
    init(of previous: PreviousDump?, at path: FilePath) {
        guard let place = previous?.directory.pushing(path).appending(ArchiveVerification.contentsFile),
            let contents = try? ArchiveContents.read(place)
        else { return }
        for entry in contents.data where entry.kind == "TABLE DATA" { files[TableName(entry)] = entry.file }
    }

    /// Files of tables that have another name now, with the name that they had.
    func renamed(among files: [TableFile]) -> [FilePath.Component: FilePath.Component] {
        var renamed: [FilePath.Component: FilePath.Component] = [:]
        for file in files {
            guard let name = self.files[file.table], let former = FilePath.Component(name), former.kind == .regular,
                former != file.file
            else { continue }
            renamed[file.file] = former
        }
        return renamed
    }
}

/// A table's name, told from others by its bytes.
struct TableName: Sendable, Hashable {
    let schema: [UInt8]
    let name: [UInt8]

    init(schema: String, name: String) { (self.schema, self.name) = (schema.nameBytes, name.nameBytes) }

    init(_ entry: ArchiveContents.DataEntry) { self.init(schema: entry.schema, name: entry.name) }
}
